"""`autoprune price`: what one workload costs on one machine, by cause and by operation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoprune.cli.options import import_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from autoprune.cost.cost import Cost
    from autoprune.cost.model import CostModel
    from autoprune.runs.folder import RunFolder
    from autoprune.workload.workload import Workload


@click.command()
@click.argument("what", metavar="WORKLOAD.json|RUN:TRIAL")
@click.option("--machine", metavar="MACHINE", required=True, help="Name or TOML file.")
@click.option(
    "--explain", "explained", is_flag=True, help="Every term: count, rule, price, source."
)
@click.option(
    "--sensitivity",
    type=click.FloatRange(0, 1, min_open=True),
    help="Move each price by this share, such as 0.5; of a trial, also the front of its run.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts: every term.")
@import_option
def price(  # noqa: PLR0913 - the options of the command line
    what: str,
    machine: str,
    *,
    explained: bool,
    sensitivity: float | None,
    as_json: bool,
    imports: bool,
) -> None:
    """Price a workload or a recorded trial on a machine.

    A trial is a number, or a baseline such as fine-tuned.

    \b
    autoprune price runs/digits:17 --machine loihi1
    autoprune price runs/digits:17 --machine loihi1 --explain
    autoprune price runs/digits:17 --machine loihi1 --sensitivity 0.5
    autoprune price w.json --machine my_chip.toml --json
    """
    if sum((explained, sensitivity is not None, as_json)) > 1:
        raise click.UsageError("one of --explain, --sensitivity and --json")
    run, key = _find(what, imports=imports)
    model = _machine(machine, run, imports=imports)
    workload = _read(what, run, key, model)
    cost = model.price(workload)
    if as_json:
        click.echo(json.dumps(_document(cost, model, workload), indent=1))
    elif sensitivity is not None:
        from autoprune.cli.sensitivity import print_sensitivity

        print_sensitivity(model, workload, run, sensitivity)
    else:
        _print(cost, model, workload, explained=explained)


def _find(what: str, *, imports: bool) -> tuple[RunFolder | None, str]:
    """The run and the trial that are meant; no run where it is a file."""
    from autoprune.errors import InputError

    path = Path(what)
    run, colon, trial = what.rpartition(":")
    if colon and not path.exists():
        from autoprune.runs.folder import RunFolder

        return RunFolder.opened(Path(run), imports=imports), trial
    if path.is_dir():
        raise InputError(what, "a folder", f"a workload file, or a trial of a run: {what}:17")
    return None, ""


def _machine(name: str, run: RunFolder | None, *, imports: bool) -> CostModel:
    """The run's own copy of a machine where it has one, as in `autoprune front`."""
    if run is None:
        from autoprune.cost.load import load_machine

        return load_machine(name, imports=imports)
    from autoprune.runs.machines import find_machine

    return find_machine(run, name)


def _read(what: str, run: RunFolder | None, key: str, model: CostModel) -> Workload:
    """The workload; of a trial at the precision that the machine is paired with."""
    from autoprune.workload.workload import Workload

    if run is None:
        return Workload.read(Path(what))
    return run.read_workload(key, model.machine.weight_bits)


def _document(cost: Cost, model: CostModel, workload: Workload) -> dict[str, Any]:
    from dataclasses import asdict

    from autoprune.report.front.diagnostics import diagnose

    return {
        **asdict(cost),
        "energy_uj": cost.energy_uj,
        **asdict(diagnose(model, workload, cost)),
        "prices": model.machine.numbers()["prices"],
        "by_cause_pj": cost.by_cause(),
        "by_op_pj": cost.by_op(),
        "priced_bits": model.machine.weight_bits,
        "not_modelled": model.machine.not_modelled,
        "uncounted": [
            {
                "name": item.name,
                "share_of_dense_macs": workload.share_of_dense_macs(item.dense_macs),
                "reason": item.reason,
            }
            for item in workload.uncounted
        ],
    }


def _print(cost: Cost, model: CostModel, workload: Workload, *, explained: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    from autoprune.report.front.diagnostics import diagnose, diagnostic_lines

    console = Console(highlight=False)
    energy = "unknown" if cost.energy_uj is None else f"{cost.energy_uj:.4g} µJ"
    console.print(f"{cost.machine}: {energy} per inference", style="bold")
    console.print(
        f"priced at {model.machine.weight_bits} bits; counts are means over "
        f"{workload.samples} samples"
    )
    for line in (*_sizes(cost), *diagnostic_lines(diagnose(model, workload, cost))):
        console.print(Text(line))
    if explained:
        from autoprune.report.tables.explain import explain

        for line in explain(cost, model):
            console.print(Text(line), soft_wrap=True)
    else:
        for title, sums in (("cause", cost.by_cause()), ("operation", cost.by_op())):
            console.print(_shares(title, sums))
    for line in _remarks(cost, model, workload):
        console.print(Text(line))


def _sizes(cost: Cost) -> Iterator[str]:
    """What the machine defines besides energy."""
    if cost.latency_us is not None:
        yield f"latency {cost.latency_us:.4g} µs"
    if cost.cycles is not None:
        yield f"cycles {cost.cycles:.0f}"
    if cost.cores is not None:
        yield f"cores {cost.cores}"
    if cost.chips is not None:
        yield f"chips {cost.chips}"
    if cost.weights:
        held = ", ".join(f"{bits / 8192:.4g} KiB {name}" for name, bits in cost.weights)
        yield f"weights {held}"
    if cost.static_power_mw is not None:
        yield f"static power {cost.static_power_mw:.4g} mW, not part of the energy"
    if cost.area_mm2 is not None:
        yield f"area {cost.area_mm2:.4g} mm2"


def _shares(title: str, sums: dict[str, float]) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(title, box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("pJ", justify="right")
    table.add_column("share", justify="right")
    whole = sum(sums.values())
    for name, value in sums.items():
        table.add_row(name, f"{value:.4g}", f"{100 * value / whole:.1f} %" if whole else "-")
    return table


def _remarks(cost: Cost, model: CostModel, workload: Workload) -> Iterator[str]:
    """What the total does not hold, or holds by a rule of its own."""
    for item in cost.unpriced:
        yield f"No price: {item.action} ({item.count:g} per inference)"
    for host in cost.host:
        share = f"{100 * host.share:.2f} % of dense MACs"
        yield f"On the host, outside the total: {host.name} ({share})"
    for rule in cost.emulated:
        yield f"Emulated: {rule}"
    for missing in workload.uncounted:
        if missing.dense_macs:
            share = f"{100 * workload.share_of_dense_macs(missing.dense_macs):.2f} % of dense MACs"
            yield f"Not counted: {missing.name} ({share}): {missing.reason}"
    silent = [missing.name for missing in workload.uncounted if not missing.dense_macs]
    if silent:
        yield f"Not counted, without MACs: {', '.join(silent)}"
    for line in model.machine.not_modelled:
        yield f"Not modelled: {line}"
