"""`autoprune front`: the fronts of a run, on its own machines or on one that it never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli import complete
from autoprune.cli.exits import fail
from autoprune.cli.options import PATH, import_option
from autoprune.cli.output import waiting

if TYPE_CHECKING:
    from rich.console import Console

    from autoprune.report.front.front import MachineFront


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--machine",
    metavar="MACHINE",
    shell_complete=complete.machines,
    help="Name or TOML file; default: every machine of the run.",
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
    from autoprune.api import open_run

    machines = () if machine is None else (machine,)
    with waiting("Reading the trials"):
        opened = open_run(run, imports=imports)
        found = opened.fronts(*machines)
    if as_json:
        from autoprune.report.files import to_document

        documents = [to_document(front) for front in found.fronts]
        click.echo(json.dumps(documents if machine is None else documents[0], indent=1))
    elif as_csv:
        from autoprune.report.files import to_csv

        click.echo(to_csv(found.fronts, with_machine=machine is None), nl=False)
    else:
        from autoprune.cli.console import plain_console
        from autoprune.report.tables.branches import removal_table
        from autoprune.report.tables.front_notes import unpriced_lines
        from autoprune.report.tables.measured import measured_table

        console = plain_console()
        _print(console, found.fronts)
        if found.removals:
            console.print()
            console.print(removal_table(found.removals, console.width))
        for measured in found.measured if machine is None else ():
            console.print(measured_table(measured))
        for line in unpriced_lines(opened.unpriced if machine is None else ()):
            console.print(line)
    fail(found.failed)


def _print(console: Console, fronts: tuple[MachineFront, ...]) -> None:
    from autoprune.report.plots.text import text_plot
    from autoprune.report.tables.front import front_legend, front_table

    for front in fronts:
        console.print(front_table(front, console.width))
        pairs = [row.pair for row in front.rows]
        console.print(f"\n{text_plot(pairs, front.parent.name, front.reference[0])}")
        console.print()
    for line in front_legend(fronts, console.width):
        console.print(line)
