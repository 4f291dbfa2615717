"""Operations as an Arrow table of one fixed schema: back to `Op`, or as columns for pricing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from autoprune.workload.arrays import activity, figure_of, objects
from autoprune.workload.columns import ACTIVITY, PER_STEP, PLACES, TILES, WORDS, Column, reader
from autoprune.workload.op import NESTED, Op, field_of
from autoprune.workload.parts import Geometry

_TYPES = {
    "str": pa.string(),
    "int": pa.int64(),
    "int | None": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "tuple[int, ...]": pa.list_(pa.int64()),
    "tuple[str, ...]": pa.list_(pa.string()),
}
SCHEMA = pa.schema(
    [
        (name, _TYPES.get(str(field_of(name).type), pa.string()))
        for name in (*(name for name in PLACES if name not in NESTED), *NESTED)
    ]
)
"""One field per column of an operation; what is nested is JSON."""


def to_table(ops: Sequence[Op]) -> pa.Table:
    """One row per operation."""
    columns = {name: list(map(reader(name), ops)) for name in SCHEMA.names}
    for name in NESTED:
        columns[name] = [json.dumps(v and dataclasses.asdict(v)) for v in columns[name]]
    return pa.Table.from_pydict(columns, schema=SCHEMA)


def to_ops(table: pa.Table) -> tuple[Op, ...]:
    """The operations that `to_table` put down; raises what `Op` raises where they are not whole."""
    rows = table.select(SCHEMA.names).to_pylist()
    for row in rows:
        row.update({name: json.loads(row[name]) for name in NESTED})
    return tuple(Op.from_dict(row) for row in rows)


def column(table: pa.Table, name: str) -> Column:
    """One of `autoprune.workload.columns.COLUMNS`, as totals over samples."""
    if name in (*ACTIVITY, *TILES):
        return _activity(table, name)
    if name in PER_STEP:
        return _padded(table[name].combine_chunks())
    if name in ("block", "geometry"):
        values = table[name].to_pylist()
        if name == "geometry":
            values = [_geometry(json.loads(text)) for text in values]
        return objects(values)
    if name == "norm_folded":
        return table[name].to_numpy().astype(np.bool_)
    return table[name].to_numpy().astype(np.str_ if name in WORDS else np.int64)


def _activity(table: pa.Table, name: str) -> Column:
    whole = [json.loads(text) for text in table["activity"].to_pylist()]
    seen = [None if figures is None else figures.get(figure_of(name)) for figures in whole]
    return activity(name, table["name"].to_pylist(), table["a_class"].to_pylist(), seen)


def _geometry(data: dict[str, list[int]] | None) -> Geometry | None:
    return None if data is None else Geometry(**{k: tuple(v) for k, v in data.items()})


def _padded(lists: pa.ListArray) -> Column:
    """Lists of different lengths as one array, zeros behind their ends."""
    lengths = np.diff(lists.offsets.to_numpy())
    table = np.zeros((len(lengths), int(lengths.max(initial=0))), dtype=np.int64)
    inside = np.arange(table.shape[1]) < lengths[:, None]
    table[inside] = lists.flatten().to_numpy()
    return table
