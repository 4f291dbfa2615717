"""`autoprune report`: everything about a run on one page."""

from __future__ import annotations

from pathlib import Path

import click

from autoprune.cli.options import FILE, PATH, import_option
from autoprune.cli.output import megabytes, waiting


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--out",
    type=FILE,
    metavar="PATH",
    help="The file; report.html in the run's folder where it is left out.",
)
@import_option
def report(run: Path, out: Path | None, *, imports: bool) -> None:
    """Write one HTML page: the answer, every front, every trial, prices, environment.

    The page needs no network and no server; it may be sent by mail.

    \b
    autoprune report runs/digits
    autoprune report runs/digits --out digits.html
    """
    from autoprune.api import open_run

    with waiting("Reading every trial"):
        file = open_run(run, imports=imports).report(out)
    click.echo(f"{file}: {megabytes(file.stat().st_size)}")
