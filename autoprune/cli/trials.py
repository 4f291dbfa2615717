"""`autoprune trials`: all trials of a run, filtered and sorted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autoprune.cli.options import import_option
from autoprune.cli.output import waiting

if TYPE_CHECKING:
    import pandas as pd

STATES = ("measured", "duplicate", "infeasible", "failed")
ORIGINS = ("baseline", "uniform", "probe", "warm", "sampled")


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--state", type=click.Choice(STATES), help="Only those that ended so.")
@click.option("--origin", type=click.Choice(ORIGINS), help="Only those that it proposed.")
@click.option("--failed", is_flag=True, help="Those without a measurement, with the whole cause.")
@click.option("--front", "machine", metavar="MACHINE", help="Only those on its front.")
@click.option("--sort", metavar="COLUMN", help="A column of --csv; with - before it, descending.")
@click.option("--csv", "as_csv", is_flag=True, help="All columns.")
@click.option("--json", "as_json", is_flag=True, help="All columns.")
@click.option("--parquet", type=click.Path(path_type=Path), help="All columns, into a file.")
@import_option
def trials(  # noqa: PLR0913 - the options of the command line
    run: Path,
    state: str | None,
    origin: str | None,
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

    with waiting("Reading every trial"):
        frame = open_run(run, imports=imports).trials()
    if frame.empty:
        raise RecordError(f"{run}: no trial has ended yet")
    keep = [frame["state"] == state] if state else []
    keep += [frame["origin"] == origin] if origin else []
    keep += [frame["cause"] != ""] if failed else []
    keep += [_on_front(frame, machine)] if machine else []
    for chosen in keep:
        frame = frame[chosen.reindex(frame.index)]
    if sort:
        frame = _sorted(frame, sort)
    if as_csv:
        click.echo(frame.to_csv(), nl=False)
    elif as_json:
        click.echo(frame.reset_index().to_json(orient="records", indent=1))
    elif parquet is not None:
        from autoprune.files import write_atomically

        # The trial's number as a column: other readers than pandas know no index.
        write_atomically(parquet, lambda part: frame.to_parquet(part, index=True))
        click.echo(f"{parquet}: {len(frame)} trials")
    else:
        (_print_causes if failed else _print)(frame)


def _on_front(frame: pd.DataFrame, machine: str) -> pd.Series:
    """Which trials are on a machine's front."""
    from autoprune.errors import InputError

    known = [name.partition("@")[2] for name in frame if name.startswith("energy_uj@")]
    if machine not in known:
        raise InputError("--front", f"given {machine!r}", name=machine, candidates=known)
    return frame["fronts"].map(lambda fronts: machine in fronts.split(", "))


def _sorted(frame: pd.DataFrame, sort: str) -> pd.DataFrame:
    from autoprune.errors import InputError

    column = sort.removeprefix("-")
    if column not in (*frame.columns, "trial"):
        raise InputError(
            "--sort", f"unknown column {column!r}", name=column, candidates=list(frame.columns)
        )
    return frame.sort_values(column, ascending=not sort.startswith("-"), kind="stable")


def _print_causes(frame: pd.DataFrame) -> None:
    for number, row in frame.iterrows():
        click.echo(f"trial {number}, {row['state']}: {row['plan']}\n{row['cause']}\n")
    click.echo(f"{len(frame)} trials without a measurement")


def _print(frame: pd.DataFrame) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("trial", "state", "origin", "val %", "kept %", "fronts"):
        right = name not in ("state", "origin")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column("plan, or cause", overflow="fold")
    scores = [name for name in frame if name.startswith("val_")]
    for number, row in frame.iterrows():
        measured = row["seconds"] == row["seconds"] or row["same_as"]
        table.add_row(
            str(number),
            row["state"],
            row["origin"],
            f"{100 * row[scores[0]]:.1f}" if measured else "-",
            f"{100 * row['kept_weights']:.1f}" if measured else "-",
            str(len(row["fronts"].split(", "))) if row["fronts"] else "-",
            row["cause"].splitlines()[-1] if row["cause"] else row["plan"],
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(frame)} trials; fronts: on how many machines' it is")
