"""`autoprune confirm`: the best trials of a run again, on seeds that the search never saw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli.exits import GO_ON, INTERRUPTED, MISTAKE, complain, end
from autoprune.cli.options import PATH, address_option, grace_option, import_option

if TYPE_CHECKING:
    from autoprune.sweep.confirm import Confirmed


@click.command()
@click.argument("run", type=PATH)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Fresh ones per trial.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Trainings at a time; 0 trains in this process, without Ray. Default: the study's.",
)
@address_option
@grace_option
@click.option("--json", "as_json", is_flag=True, help="For scripts: everything.")
@click.option("--csv", "as_csv", is_flag=True, help="For scripts: a row per machine and trial.")
@import_option
def confirm(  # noqa: PLR0913 - the options of the command line
    run: Path,
    seeds: int,
    workers: int | None,
    address: str | None,
    grace: float,
    *,
    as_json: bool,
    as_csv: bool,
    imports: bool,
) -> None:
    """Train the best trials of a run again on fresh seeds; say which stay on the front.

    RUN is a run folder. The best of many noisy results are too good by the luck they had: the
    members of every machine's front are carried out again. Half of the seeds, rounded down, choose
    with what the search expects who stays; mean and standard deviation are of the others, so that
    nothing is chosen and judged by the same result. Printed are also the probability of each to be
    on the front, and the hypervolume of what stays. Every training is kept in RUN/confirmed: the
    same command goes on where it stopped, and more --seeds add to what there is.

    \b
    autoprune confirm runs/digits
    autoprune confirm runs/digits --seeds 5 --csv
    """
    if as_json and as_csv:
        raise click.UsageError("--json or --csv, not both")
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from autoprune.cli.console import plain_console

    console = plain_console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    with progress:
        bar = progress.add_task("Reading the run", total=None)
        from autoprune.api import open_run
        from autoprune.sweep.stop import Stop

        def watch(done: int, total: int) -> None:
            progress.update(bar, description="Fresh seeds", total=total, completed=done)
            tenth = done and 10 * done // total > 10 * (done - 1) // total
            if tenth and not console.is_interactive:
                console.print(f"{done} of {total} networks trained")

        stop = Stop(say=console.print, grace_s=60 * grace)
        confirmed = open_run(run, imports=imports).confirm(
            seeds, workers, address=address, watch=watch, stop=stop, say=console.print
        )
    from autoprune.report.tables.ends import failed_lines

    _write(confirmed, run, as_json=as_json, as_csv=as_csv)
    complain(failed_lines(confirmed.failed))
    complain(confirmed.unpriced)
    if confirmed.interrupted:
        click.echo(GO_ON, err=True)
        end(stop.code or INTERRUPTED)
    if confirmed.failed or confirmed.unpriced:
        end(MISTAKE)


def _write(confirmed: Confirmed, run: Path, *, as_json: bool, as_csv: bool) -> None:
    from autoprune.report.tables.confirmed import (
        confirmed_csv,
        confirmed_document,
        confirmed_table,
    )

    if as_json:
        click.echo(json.dumps([confirmed_document(front) for front in confirmed.fronts], indent=1))
    elif as_csv:
        click.echo(confirmed_csv(confirmed.fronts), nl=False)
    else:
        from autoprune.cli.console import plain_console

        console = plain_console()
        for front in confirmed.fronts:
            console.print(confirmed_table(front))
            console.print()
        console.print(f"Saved in {run}: fronts/MACHINE/confirmed.csv and .json", soft_wrap=True)
