"""`autoprune compare`: the same trials on several machines, and where these disagree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autoprune.cli.options import import_option
from autoprune.cli.output import waiting

if TYPE_CHECKING:
    from rich.console import Console

    from autoprune.report.front.compare import Comparison
    from autoprune.runs.columns import Priced
    from autoprune.runs.folder import RunFolder


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--machine",
    "machines",
    metavar="MACHINE",
    multiple=True,
    help="Name or TOML file; once for each machine. Default: every machine of the run.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts: everything.")
@import_option
def compare(run: Path, machines: tuple[str, ...], *, as_json: bool, imports: bool) -> None:
    """Compare machines on the trials of a run, also machines that it never saw.

    Which trials are on all fronts, how alike the machines order the trials by energy, and which
    trials they disagree about most. Recorded workloads are priced anew; nothing is trained.

    \b
    autoprune compare runs/digits
    autoprune compare runs/digits --machine loihi1 --machine my_chip.toml
    """
    from autoprune.report.front.compare import compare as compare_machines
    from autoprune.runs.folder import RunFolder

    folder = RunFolder.opened(run, imports=imports)
    priced, failed = _price(folder, machines)
    found = compare_machines(priced)
    if as_json:
        click.echo(json.dumps(_document(found, priced, failed), indent=1))
    else:
        from rich.console import Console

        from autoprune.report.tables.measured import agreement
        from autoprune.runs.measured import read_all

        console = Console(highlight=False)
        _print(console, found, priced)
        energies = {p.machine: _energies(p) for p in priced}
        for measured in read_all(run):
            for line in agreement(measured, energies):
                console.print(line)
    for line in failed:
        click.echo(f"autoprune: {line}", err=True)
    if failed:
        raise click.exceptions.Exit(2)


def _price(folder: RunFolder, names: tuple[str, ...]) -> tuple[list[Priced], list[str]]:
    """The trials on every machine that can price them, and what is wrong with the others."""
    from autoprune.cost.cost import UnknownCost
    from autoprune.runs.columns import TrialColumns
    from autoprune.runs.machines import distinct, find_machine, run_machines

    models = distinct([find_machine(folder, name) for name in names] or run_machines(folder))
    priced, failed = [], []
    with waiting("Reading the trials"):
        trials = TrialColumns(folder)
        for model in models:
            try:
                priced.append(trials.on(model))
            except UnknownCost as error:
                failed.append(str(error))
    if len(priced) < 2:
        raise UnknownCost("; ".join(failed))
    return priced, failed


def _energies(priced: Priced) -> dict[str, float]:
    return dict(zip(priced.trials, priced.energy_uj.tolist(), strict=True))


def _document(found: Comparison, priced: list[Priced], failed: list[str]) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "fronts": found.fronts,
        "infeasible": found.infeasible,
        "on_all_fronts": found.shared,
        "pairs": [
            {
                "machines": pair,
                "kendall_tau": None if tau != tau else tau,
                "disagreements": [asdict(item) for item in found.disagreements[pair]],
            }
            for pair, tau in found.correlation.items()
        ],
        "energy_uj": {
            p.machine: {t: None if e != e else e for t, e in _energies(p).items()} for p in priced
        },
        "failed": failed,
    }


def _print(console: Console, found: Comparison, priced: list[Priced]) -> None:
    from rich import box
    from rich.table import Table

    trials = priced[0].trials
    console.print(f"{len(trials)} trials on {len(priced)} machines", style="bold")
    for name, front in found.fronts.items():
        console.print(f"Front of {name}: {', '.join(front)}")
    for name, trials_there in found.infeasible.items():
        console.print(f"Infeasible on {name}, and left out: {', '.join(trials_there)}")
    console.print(f"On all fronts: {', '.join(found.shared) or 'none'}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("machines")
    table.add_column("order", justify="right")
    table.add_column("disagree most about trial (place by energy on either)")
    for (a, b), tau in found.correlation.items():
        worst = found.disagreements[a, b]
        words = ", ".join(f"{d.trial} ({d.first}, {d.second})" for d in worst) or "none"
        table.add_row(f"{a}, {b}", "-" if tau != tau else f"{tau:.2f}", words)
    console.print(table)
    console.print(
        "order: Kendall's tau-b of the energies of all trials; 1 where two machines order them "
        "alike, 0 where they have nothing to do with each other."
    )
