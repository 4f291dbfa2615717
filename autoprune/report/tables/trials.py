"""All trials of a run as a table of 80 columns, and why some were not measured."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def trials_table(frame: pd.DataFrame) -> RenderableType:
    """The trials of a frame, see `autoprune.report.frames.trials_frame`."""
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
            row["cause"].splitlines()[-1] if row["cause"].strip() else row["plan"],
        )
    return Group(table, Text(f"{len(frame)} trials; fronts: on how many machines' it is"))


def cause_lines(frame: pd.DataFrame) -> Iterator[str]:
    """The trials with their whole cause."""
    for number, row in frame.iterrows():
        yield f"trial {number}, {row['state']}: {row['plan']}\n{row['cause']}\n"
    yield f"{len(frame)} trials without a measurement"
