"""`autoprune trials`: all trials of a run, filtered and sorted."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from autoprune.cli import complete
from autoprune.cli.options import FILE, PATH, import_option
from autoprune.cli.output import waiting
from autoprune.runs.outcome import Origin, State


@click.command()
@click.argument("run", type=PATH)
@click.option("--state", type=click.Choice(get_args(State)), help="Only those that ended so.")
@click.option("--origin", type=click.Choice(get_args(Origin)), help="Only those that it proposed.")
@click.option("--failed", is_flag=True, help="Those without a measurement, with the whole cause.")
@click.option(
    "--front",
    "machine",
    metavar="MACHINE",
    shell_complete=complete.machines,
    help="Only those on its front.",
)
@click.option("--sort", metavar="COLUMN", help="A column of --csv; with - before it, descending.")
@click.option("--csv", "as_csv", is_flag=True, help="All columns.")
@click.option("--json", "as_json", is_flag=True, help="All columns.")
@click.option("--parquet", type=FILE, help="All columns, into a file.")
@import_option
def trials(  # noqa: PLR0913 - the options of the command line
    run: Path,
    state: State | None,
    origin: Origin | None,
    machine: str | None,
    sort: str | None,
    parquet: Path | None,
    *,
    failed: bool,
    as_csv: bool,
    as_json: bool,
    imports: bool,
) -> None:
    """List the trials of a run, also while it goes on.

    \b
    autoprune trials runs/digits --sort -val_accuracy
    autoprune trials runs/digits --failed
    autoprune trials runs/digits --front loihi1 --csv
    autoprune trials runs/digits --parquet trials.parquet
    """
    if as_csv + as_json + (parquet is not None) > 1:
        raise click.UsageError("--csv, --json or --parquet, one of them")
    from autoprune.api import open_run
    from autoprune.errors import RecordError
    from autoprune.report.frames import Selection, to_csv

    wanted = Selection(state=state, origin=origin, failed=failed, front=machine, sort=sort)
    with waiting("Reading every trial"):
        frame = open_run(run, imports=imports).trials(wanted=wanted)
    if frame.columns.empty:  # not only without those that are wanted
        raise RecordError(f"{run}: no trial has ended yet")
    if as_csv:
        click.echo(to_csv(frame), nl=False)
    elif as_json:
        click.echo(frame.reset_index().to_json(orient="records", indent=1))
    elif parquet is not None:
        from autoprune.files import write_atomically

        # The trial's number as a column: other readers than pandas know no index.
        write_atomically(parquet, lambda part: frame.to_parquet(part, index=True))
        click.echo(f"{parquet}: {len(frame)} trials")
    else:
        from autoprune.cli.console import plain_console
        from autoprune.report.tables.trials import cause_lines, trials_table

        if failed:
            for line in cause_lines(frame):
                click.echo(line)
        else:
            plain_console().print(trials_table(frame, sort))
