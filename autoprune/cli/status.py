"""`autoprune status`: how far a run is, from another terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli.options import PATH, import_option
from autoprune.cli.output import waiting, wrapped

if TYPE_CHECKING:
    from autoprune.sweep.status import Status


@click.command()
@click.argument("run", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="All of it, for scripts.")
@import_option
def status(run: Path, *, as_json: bool, imports: bool) -> None:
    """Say how far a run is, also while it goes on; nothing is written, no lock is taken.

    \b
    autoprune status runs/digits
    autoprune status runs/digits --json
    """
    from autoprune.api import open_run

    with waiting("Reading the trials"):
        found = open_run(run, imports=imports).status()
    if as_json:
        click.echo(json.dumps(found.to_dict(), indent=1))
    else:
        _print(found)


def _print(found: Status) -> None:
    from autoprune.report.plots.text import text_plot

    ends = ", ".join(f"{count} {state}" for state, count in found.states.items())
    running = "some (--import asks the database)" if found.running is None else found.running
    lines = [
        found.title,
        f"Written by: {_writer(found)}",
        f"{found.baselines} baselines measured",
        f"{found.done} of {found.trials} trials done, {running} running; {ends}",
    ]
    for line in lines:
        click.echo(wrapped(line))
    for machine, trials in found.fronts.items():
        members = ", ".join(map(str, trials)) or "none yet"
        click.echo(wrapped(f"Front of {machine}: {members}"))
        if trials:
            click.echo(text_plot(found.pairs[machine], found.score))
    if found.trials_per_hour is not None:
        click.echo(f"{found.trials_per_hour:.3g} trials an hour")
    if found.minutes_left:
        click.echo(f"Some {found.minutes_left:.2g} minutes left")
    elif found.minutes_left is not None:
        click.echo("All trials are done; members of fronts are evaluated on test data")


def _writer(found: Status) -> str:
    if found.writer is None:
        return "nobody"
    end = {True: "", None: " (of another host: not known whether it lives)", False: " (dead)"}
    return f"{found.writer}{end[found.writer.lives]}"
