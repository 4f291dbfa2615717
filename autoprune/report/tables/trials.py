"""All trials of a run as a table of 80 columns, and why some were not measured."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.report.units import significant


def trials_table(frame: pd.DataFrame, sort: str | None = None) -> RenderableType:
    """The trials of a frame, see `autoprune.report.frames.trials_frame`.

    The column by which they are sorted is shown, whatever it is.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), collapse_padding=True)
    score = next((name for name in frame if name.startswith("val_")), "val_accuracy")
    by = (sort or "").removeprefix("-")
    shown = {"trial", "state", "origin", score, "kept_weights", "plan", "cause", "fronts"}
    extra = [by] if by and by not in shown else []
    for name in ("trial", "state", "origin", "val %", *map(_head, extra), "kept %", "fronts"):
        right = name not in ("state", "origin")
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column("plan, or cause", overflow="fold")
    for number, row in frame.iterrows():
        measured = row["seconds"] == row["seconds"] or row["same_as"]
        table.add_row(
            str(number),
            row["state"],
            row["origin"],
            f"{100 * row[score]:.1f}" if measured else "-",
            *(_shown(name, row[name]) for name in extra),
            f"{100 * row['kept_weights']:.1f}" if measured else "-",
            str(len(row["fronts"].split(", "))) if row["fronts"] else "-",
            row["cause"].splitlines()[-1] if row["cause"].strip() else row["plan"],
        )
    bits = sorted({int(bits) for bits in frame["accuracy_bits"].dropna()}, reverse=True)
    at = f"; val %: with weights of {' or '.join(map(str, bits))} bits" if bits else ""
    lines = f"{len(frame)} trials; fronts: on how many machines' it is{at}"
    return Group(table, Text(lines))


def _head(column: str) -> str:
    """A column's name as a head: its machine on a line of its own."""
    name, at, machine = column.partition("@")
    words = {"energy_uj": "µJ"}.get(name, name.replace("_", " "))
    return f"{words}\n{machine}" if at else words


def _shown(column: str, value: object) -> str:
    if value is None or value != value:
        return "-"
    if column.startswith(("val_", "test_")):
        return f"{100 * float(str(value)):.1f}"
    return significant(value) if isinstance(value, float) else str(value)


def cause_lines(frame: pd.DataFrame) -> Iterator[str]:
    """The trials with their whole cause."""
    for number, row in frame.iterrows():
        yield f"trial {number}, {row['state']}: {row['plan']}\n{row['cause']}\n"
    yield f"{len(frame)} trials without a measurement"
