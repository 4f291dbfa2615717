"""`autoprune price`: what one workload costs on one machine, by cause and by operation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from autoprune.cost.cost import Cost
    from autoprune.cost.model import CostModel
    from autoprune.workload import Workload


@click.command()
@click.argument("what", metavar="WORKLOAD.json|RUN:TRIAL")
@click.option("--machine", required=True, help="Name of a bundled machine, or a TOML file.")
@click.option("--json", "as_json", is_flag=True, help="Every term, for machines.")
def price(what: str, machine: str, *, as_json: bool) -> None:
    """Price a workload or a recorded trial on a machine.

    A trial is a number, or a baseline such as fine-tuned.

    \b
    autoprune price runs/digits:17 --machine loihi1
    autoprune price w.json --machine my_chip.toml --json
    """
    from autoprune.cost.load import load_machine

    model = load_machine(machine)
    workload = _read(what)
    cost = model.price(workload)
    if as_json:
        click.echo(json.dumps(_document(cost, model, workload), indent=1))
    else:
        _print(cost, model, workload)


def _read(what: str) -> Workload:
    from autoprune.workload import Workload

    run, colon, trial = what.rpartition(":")
    if colon and not Path(what).exists():
        from autoprune.run_folder import RunFolder

        return RunFolder(Path(run)).read_workload(trial)
    return Workload.read(Path(what))


def _document(cost: Cost, model: CostModel, workload: Workload) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        **asdict(cost),
        "energy_uj": cost.energy_uj,
        "by_cause_pj": cost.by_cause(),
        "by_op_pj": cost.by_op(),
        "priced_bits": model.machine.weight_bits,
        "not_modelled": model.machine.not_modelled,
        "uncounted": {
            item.name: workload.share_of_dense_macs(item.dense_macs) for item in workload.uncounted
        },
    }


def _print(cost: Cost, model: CostModel, workload: Workload) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    total = cost.energy_uj
    energy = "unknown" if total is None else f"{total:.4g} µJ"
    console.print(f"{cost.machine}: {energy} per inference", style="bold")
    for name, value in (
        ("latency", None if cost.latency_us is None else f"{cost.latency_us:.4g} µs"),
        ("cycles", None if cost.cycles is None else f"{cost.cycles:.0f}"),
        ("cores", cost.cores),
        ("chips", cost.chips),
    ):
        if value is not None:
            console.print(f"{name} {value}")
    console.print(
        f"priced at {model.machine.weight_bits} bits; counts are means over "
        f"{workload.samples} samples"
    )
    for title, sums in (("cause", cost.by_cause()), ("operation", cost.by_op())):
        table = Table(title, "pJ", "share")
        whole = sum(sums.values())
        for name, value in sums.items():
            table.add_row(name, f"{value:.4g}", f"{100 * value / whole:.1f} %" if whole else "-")
        console.print(table)
    for item in cost.unpriced:
        console.print(f"No price: {item.action} ({item.count:g} per inference)", markup=False)
    for host in cost.host:
        share = f"{100 * host.share:.2f} % of dense MACs"
        console.print(f"On the host, outside the total: {host.name} ({share})", markup=False)
    for rule in cost.emulated:
        console.print(f"Emulated: {rule}", markup=False)
    for missing in workload.uncounted:
        if missing.dense_macs:
            share = f"{100 * workload.share_of_dense_macs(missing.dense_macs):.2f} % of dense MACs"
            console.print(f"Not counted: {missing.name} ({share}): {missing.reason}", markup=False)
    silent = [missing.name for missing in workload.uncounted if not missing.dense_macs]
    if silent:
        console.print(f"Not counted, without MACs: {', '.join(silent)}", markup=False)
    for line in model.machine.not_modelled:
        console.print(f"Not modelled: {line}", markup=False)
