"""`autoprune run`: search compressions of a network; end with the best for every machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli import complete
from autoprune.cli.exits import GO_ON, INTERRUPTED, end
from autoprune.cli.options import PATH, Duration, address_option, grace_option

if TYPE_CHECKING:
    from rich.console import Console

    from autoprune.sweep.finished import Finished
    from autoprune.sweep.prepared_run import PreparedRun
    from autoprune.sweep.stop import Stop


@click.command()
@click.argument("study", shell_complete=complete.studies)
@click.option(
    "--trials", type=click.IntRange(1, 1_000_000), help="Plans to train. Default: the study's."
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Trials at a time; 0 runs in this process, without Ray. Default: the study's.",
)
@address_option
@click.option(
    "--time-limit",
    type=Duration(),
    metavar="TIME",
    help="Begin no more trials after 90s, 30m or 2h; those that run are finished.",
)
@grace_option
@click.option("--out", type=PATH, help="Run folder. Default: runs/STUDY.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what it costs, run nothing.")
@click.option("--quiet", is_flag=True, help="Only errors, and at the end one line.")
@click.option("--json-lines", is_flag=True, help="Events for scripts on stdout; words on stderr.")
def run(  # noqa: PLR0913 - the options of the command line
    study: str,
    trials: int | None,
    workers: int | None,
    address: str | None,
    time_limit: float | None,
    grace: float,
    out: Path | None,
    *,
    dry_run: bool,
    quiet: bool,
    json_lines: bool,
) -> None:
    """Search compressions of a network; end with the best for every machine, and save the fronts.

    STUDY is the name of a bundled study or a TOML file. The parent network is trained once and
    cached. Running the command again goes on where it stopped; a larger --trials adds more.
    Ctrl-C lets the running trials finish and writes the fronts; once more, it stops at once.

    \b
    autoprune run digits                    the bundled study, results in runs/digits
    autoprune run my_study.toml --out r1    your own
    autoprune run digits --json-lines       events for a script, one JSON object a line
    autoprune run digits --trials 96        48 more, once 48 are done
    autoprune run my_study.toml --address 10.0.0.1:6379     on a Ray cluster that runs
    """
    if quiet and dry_run:
        raise click.UsageError("--quiet or --dry-run, which does nothing but print")
    from autoprune.cli.console import plain_console

    console = plain_console(quiet=quiet, stderr=json_lines)
    with console.status("Reading the study", spinner="line"):
        from autoprune.api import prepare_run

        prepared = prepare_run(study, out=out, trials=trials, workers=workers, address=address)
    for note in prepared.notes:
        console.print(f"Note: {note}", style="yellow")
    if prepared.warm is not None:
        console.print(str(prepared.warm))
    if dry_run:
        from autoprune.cli.outlook import print_forecast, print_outlook

        print_outlook(console, prepared.outlook)
        with console.status("Timing a small trial", spinner="line"):
            found = prepared.forecast
        print_forecast(console, found)
        return
    if prepared.changed:
        console.print(f"Note: {prepared.changed}.", style="yellow")
    from autoprune.sweep.stop import Stop

    stop = Stop(
        time_limit, say=lambda text: console.print(text, style="yellow"), grace_s=60 * grace
    )
    finished = _carry_out(console, prepared, stop, json_lines=json_lines)
    _print_result(console, finished)
    folder = finished.folder.path
    if json_lines:
        from autoprune.cli.json_lines import write_event

        write_event("finished", folder=str(folder), interrupted=finished.interrupted)
    elif quiet:
        click.echo(f"{folder}: {next(_ends(finished))}")
    if stop.code or finished.interrupted:
        end(stop.code or INTERRUPTED)


def _carry_out(
    console: Console, prepared: PreparedRun, stop: Stop, *, json_lines: bool
) -> Finished:
    """Run the study, watched from the terminal or by a script."""
    from autoprune.cli.json_lines import JsonLines
    from autoprune.sweep.terminal import Terminal

    try:
        if json_lines:
            return prepared.run(JsonLines(), stop)
        with Terminal(console) as terminal:
            return prepared.run(terminal, stop)
    except KeyboardInterrupt:
        console.print(GO_ON, style="yellow")
        end(INTERRUPTED)


def _ends(finished: Finished) -> Iterator[str]:
    from autoprune.report.tables.ends import end_lines

    return end_lines(finished.trials, exhausted=finished.exhausted, saved=finished.saved)


def _print_result(console: Console, finished: Finished) -> None:
    from autoprune.cli.output import megabytes
    from autoprune.report.tables.answer import answer_table, next_lines
    from autoprune.report.tables.calibration import calibration_lines
    from autoprune.report.tables.one_shot import one_shot_lines

    console.print()
    promised = calibration_lines(finished.folder.record.calibration)
    for line in (*_ends(finished), *promised, *one_shot_lines(finished.one_shot)):
        console.print(line)
    for warning in finished.warnings:
        console.print(f"Warning: {warning}", style="yellow")
    folder, answers = finished.folder, finished.answers
    if answers:
        front = next(iter(finished.fronts.values()))
        console.print(answer_table(answers, front.parent.name))
        if front.data:
            console.print(f"Data: {front.data}.")
        console.print(f"Picture: {folder.picture}", soft_wrap=True)
    if finished.interrupted:
        console.print(GO_ON, style="yellow")
    places = folder.record.places
    if places.storage is not None:
        console.print(f"Optuna study: {places.study}, in the database", soft_wrap=True)
    for what, place in (("TensorBoard", folder.tensorboard), ("MLflow", folder.mlflow)):
        if place.exists():
            console.print(f"{what}: {place}", soft_wrap=True)
    console.print(f"Saved in {folder.path}, {megabytes(folder.bytes)}. Next:", soft_wrap=True)
    for line in next_lines(folder.path, answers):
        console.print(line, soft_wrap=True)
