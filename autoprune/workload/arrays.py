"""Columns of operations as arrays, totals over samples, for cost rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoprune.errors import InputError
from autoprune.workload.columns import ACTIVITY, PER_STEP, TILES, WORDS, Column, reader
from autoprune.workload.op import Op
from autoprune.workload.parts import ROWS, WINDOWS

Figure = int | Sequence[int] | None
"""A figure of an `autoprune.workload.parts.Activity`; None where it was not counted."""


def figure_of(name: str) -> str:
    """The figure of an `autoprune.workload.parts.Activity` that a column has, or a part of it."""
    return ACTIVITY.get(name, "tiles")


def column(ops: Sequence[Op], name: str) -> Column:
    """One of `autoprune.workload.columns.COLUMNS` out of operations."""
    if name in (*ACTIVITY, *TILES):
        figure = figure_of(name)
        seen = [None if op.activity is None else getattr(op.activity, figure) for op in ops]
        return activity(name, [op.name for op in ops], [op.a.kind for op in ops], seen)
    values = list(map(reader(name), ops))
    if name in PER_STEP:
        return _padded(values)
    if name in ("block", "geometry"):
        return objects(values)
    if name == "norm_folded":
        return np.array(values, dtype=np.bool_)
    return np.array(values, dtype=np.str_ if name in WORDS else np.int64)


def activity(
    name: str, ops: Sequence[str], classes: Sequence[str], seen: Sequence[Figure]
) -> Column:
    """A column of activity; what reads real numbers has no spikes, and zeros there.

    Args:
        name: of the column.
        ops: names of the operations.
        classes: of their A.
        seen: the figure of each, see `figure_of`.

    Raises InputError for spikes that were counted without.
    """
    figure, what = figure_of(name), "product sparsity" if name in TILES else "activity"
    for op, kind, value in zip(ops, classes, seen, strict=True):
        if value is None and kind != "real":
            raise InputError(
                f"op {op!r}",
                f"a cost rule asks for {name!r}, and the workload was counted without {what}",
                "a workload that was counted with it"
                + (", as in a run that such a machine is part of" if name in TILES else ""),
            )
    nothing = {
        "silent": 0,
        "windows": (0,) * len(WINDOWS),
        "tiles": (0,) * len(TILES),
    }.get(figure, (0,) * len(ROWS))
    values = np.array([nothing if value is None else value for value in seen])
    return values[..., TILES.index(name)] if name in TILES else values


def objects(values: Sequence[object]) -> Column:
    """Values of any type, such as None, as they are."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _padded(rows: Sequence[Sequence[int]]) -> Column:
    """Rows of different lengths as one array, zeros behind their ends."""
    table = np.zeros((len(rows), max(map(len, rows), default=0)), dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table
