"""Columns: which figures of operations are counted, and how they become arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from autoprune.errors import InputError
from autoprune.workload.op import ROWS, WINDOWS, Op

Column: TypeAlias = npt.NDArray[Any]
WeightFormat = Literal["dense", "bitmap", "csr"]
"""How a machine may hold a matrix of weights."""

WORDS = ("name", "kind", "branch", "order", "a_class", "b_class")
SIZES = (
    *("m", "k", "n", "groups", "heads", "time_steps", "neurons", "a_bits", "b_bits"),
    *("b_row_max", "b_column_max"),
)
MEANS = (
    *("a_size", "a_nonzeros", "a_events", "dense_macs", "fanout_sops", "effective_sops"),
    *("real_macs", "updates_active", "updates_inactive", "output_spikes"),
    *("events_per_step", "nonzeros_per_step", "effective_sops_per_step"),
    *("silent", "windows", "empty_groups", "row_groups"),
)
SECOND = ("b_size", "b_nonzeros", "b_events")
COLUMNS = (*WORDS, "block", "geometry", "norm_folded", *SIZES, *MEANS, *SECOND)
"""Every column that is counted; `Ops` derives more."""

PER_STEP = ("events_per_step", "nonzeros_per_step", "effective_sops_per_step")
ACTIVITY = {
    "silent": "silent",
    "windows": "windows",
    "empty_groups": "empty_groups",
    "row_groups": "groups",
}


def column(ops: Sequence[Op], name: str) -> Column:
    """One column of totals out of operations."""
    if name in ACTIVITY:
        seen = [None if op.activity is None else asdict(op.activity) for op in ops]
        return activity(name, [op.name for op in ops], [op.a_class for op in ops], seen)
    values = [getattr(op, name) for op in ops]
    if name in PER_STEP:
        return padded(values)
    if name in ("block", "geometry"):
        column = np.empty(len(values), dtype=object)
        column[:] = values
        return column
    if name == "norm_folded":
        return np.array(values, dtype=np.bool_)
    return np.array(values, dtype=np.str_ if name in WORDS else np.int64)


def activity(
    name: str,
    ops: Sequence[str],
    classes: Sequence[str],
    seen: Sequence[Mapping[str, Any] | None],
) -> Column:
    """A column of activity; what reads real numbers has no spikes, and zeros there.

    Args:
        name: of the column.
        ops: names of the operations.
        classes: of their A.
        seen: figures of `autoprune.workload.op.Activity` by name; None where they were not counted.

    Raises InputError for spikes that were counted without.
    """
    figure = ACTIVITY[name]
    for op, kind, figures in zip(ops, classes, seen, strict=True):
        if figures is None and kind != "real":
            raise InputError(
                f"op {op!r}",
                f"a cost rule asks for {name!r}, and the workload was counted without activity",
                "a workload that was counted with it",
            )
    nothing = {"silent": 0, "windows": (0,) * len(WINDOWS)}.get(figure, (0,) * len(ROWS))
    return np.array([nothing if f is None else f[figure] for f in seen])


def padded(rows: Sequence[Sequence[int]]) -> Column:
    """Rows of different lengths as one array, zeros behind their ends."""
    table = np.zeros((len(rows), max(map(len, rows), default=0)), dtype=np.int64)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row
    return table
