"""`autoprune compare`: the same trials on several machines, and where these disagree."""

from __future__ import annotations

import json
from pathlib import Path

import click

from autoprune.cli import complete
from autoprune.cli.exits import fail
from autoprune.cli.options import PATH, import_option
from autoprune.cli.output import waiting


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--machine",
    "machines",
    metavar="MACHINE",
    multiple=True,
    shell_complete=complete.machines,
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
    from autoprune.api import open_run

    opened = open_run(run, imports=imports)
    with waiting("Reading the trials"):
        found = opened.compare(*machines)
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1))
    else:
        from autoprune.cli.console import plain_console
        from autoprune.report.tables.compare import comparison_table
        from autoprune.report.tables.front_notes import unpriced_lines
        from autoprune.report.tables.measured import agreement

        console = plain_console()
        console.print(comparison_table(found))
        for measured in opened.measured:
            for line in agreement(measured, found.energy_uj):
                console.print(line)
        for line in unpriced_lines(() if machines else opened.unpriced):
            console.print(line)
    fail(found.failed)
