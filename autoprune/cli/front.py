"""`autoprune front`: the fronts of a run, on its own machines or on one that it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli.options import import_option
from autoprune.cli.output import waiting

if TYPE_CHECKING:
    from autoprune.report.front.branches import BranchProbe
    from autoprune.report.front.front import MachineFront


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--machine", metavar="MACHINE", help="Name or TOML file; default: every machine of the run."
)
@click.option("--json", "as_json", is_flag=True, help="For scripts: everything.")
@click.option("--csv", "as_csv", is_flag=True, help="For scripts: the rows of the front.")
@import_option
def front(run: Path, machine: str | None, *, as_json: bool, as_csv: bool, imports: bool) -> None:
    """Print the front of a run, also on a machine that the run never saw.

    RUN is a run folder. Recorded workloads are priced anew; nothing is trained. A name means the
    run's own copy of that machine where it has one, else the bundled machine.

    With --machine, --json and --csv print what front.json and front.csv hold. Without it there
    is a front per machine: a JSON list, or CSV with the machine as its first column.

    \b
    autoprune front runs/digits
    autoprune front runs/digits --machine my_chip.toml --csv
    """
    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")
    from autoprune.cost.cost import UnknownCost
    from autoprune.report.front.branches import branch_probes
    from autoprune.report.front.candidates import RunFronts
    from autoprune.runs.folder import RunFolder
    from autoprune.runs.machines import find_machine, run_machines

    folder = RunFolder(run, imports=imports)
    shape = folder.record.shape
    models = run_machines(folder) if machine is None else [find_machine(folder, machine)]
    fronts, failed = [], []
    with waiting("Reading the trials"):
        heads, baselines = folder.read_heads(), folder.read_baselines()
        made = RunFronts(folder, heads)
        for model in models:
            try:
                fronts.append(made.of(model))
            except UnknownCost as error:
                failed.append(str(error))
    if not fronts:
        raise UnknownCost("; ".join(failed))
    if as_json:
        from autoprune.report.files import to_document

        documents = [to_document(found) for found in fronts]
        click.echo(json.dumps(documents if machine is None else documents[0], indent=1))
    elif as_csv:
        from autoprune.report.files import to_csv

        click.echo(to_csv(fronts, with_machine=machine is None), nl=False)
    else:
        probed = [folder.read(head.key) for head in heads if head.ended.origin == "probe"]
        probes = branch_probes(probed, baselines, {m.machine.name: m for m in models}, shape)
        _print(fronts, probes, None if machine is not None else run)
    for line in failed:
        click.echo(f"autoprune: {line}", err=True)
    if failed:
        raise click.exceptions.Exit(2)


def _print(fronts: list[MachineFront], probes: list[BranchProbe], run: Path | None) -> None:
    """The fronts, the probes, then what was measured for the run on machines at hand."""
    from rich.console import Console

    from autoprune.report.plots.text import text_plot
    from autoprune.report.tables.branches import probe_table
    from autoprune.report.tables.front import front_table
    from autoprune.report.tables.measured import measured_table
    from autoprune.runs.measured import read_all

    console = Console()
    for found in fronts:
        console.print(front_table(found))
        pairs = [(row.validation.accuracy, row.energy_uj) for row in found.rows]
        console.print(f"\n{text_plot(pairs, found.parent.name)}", markup=False, highlight=False)
        console.print()
    if probes:
        console.print(probe_table(probes))
    for measured in read_all(run) if run is not None else ():
        console.print(measured_table(measured))
