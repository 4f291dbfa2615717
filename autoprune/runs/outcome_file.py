"""An outcome as a Parquet file: operations as rows, everything else as JSON in its metadata.

The operations of every precision at which the network was measured stand below each other, told
apart by the column ``bits``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.errors import AutopruneError, RecordError
from autoprune.files import MIB, read_bytes, typed
from autoprune.runs.bounded_parquet import opened, table_in
from autoprune.runs.outcome import Charge, Charges, Ended, Head, Outcome, Read, State
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement, Precision, Score, Scores, refused_in
from autoprune.workload.op import Op
from autoprune.workload.table import SCHEMA, to_ops, to_table
from autoprune.workload.workload import Workload

_KEY, _CHECK = b"autoprune", b"sha256"
"""Where a file's metadata are, and what shows that they are as they were written."""

_BYTES = 16 * MIB
"""The largest file that is read; a trial's usually takes a hundredth of it."""

_WRONG = (
    *(ArithmeticError, AttributeError, LookupError, NotImplementedError, OSError),
    *(RecursionError, TypeError, ValueError, AutopruneError),
)
"""What a file that is not ours makes its reader raise."""

_ROWS = SCHEMA.append(pa.field("bits", pa.int64()))
"""The columns of a file."""

_Meta: TypeAlias = dict[str, Any]
"""The JSON in a file's metadata, or a part of it, as it was read: nothing is known of it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What was counted of a network at one precision, as it stands in its file.

    Attributes:
        rows: the operations. samples, time_steps: of their counts.
        bits: of a weight. arithmetic: of neurons, as in `Precision`. validation: score of the
            network in these numbers.
        uncounted_macs: dense MACs of what is no operation, per sample.
    """

    rows: pa.Table
    samples: int
    time_steps: int
    bits: int
    arithmetic: Arithmetic | None
    validation: Score
    uncounted_macs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTrial:
    """A trial of which no operation becomes an object; `counted` is empty where it has none."""

    key: TrialKey
    state: State
    plan: Plan
    counted: tuple[Counted, ...]


def write_outcome(outcome: Outcome, file: Path) -> None:
    """Write a file that `read_outcome` reads back equal."""
    measurement = outcome.measurement
    precisions = measurement.all_precisions if measurement else ()
    tables = [to_table(p.workload.ops) for p in precisions] or [to_table(())]
    bits = np.repeat([p.bits for p in precisions], [len(p.workload.ops) for p in precisions])
    meta = {
        **{
            "point" if f.name == "configuration" else f.name: getattr(outcome, f.name)
            for f in dataclasses.fields(outcome)
        },
        "point": [[str(parameter), value] for parameter, value in outcome.configuration],
        "key": str(outcome.key),
        "same_as": None if outcome.same_as is None else str(outcome.same_as),
        "plan": outcome.plan.to_dict(),
        "charges": _plain(outcome.charges),
        "read": [
            {"time_steps": r.time_steps, "charges": _plain(r.charges), "broken": r.broken}
            for r in outcome.read
        ],
        "measurement": measurement.to_dict() if measurement else None,
        "workloads": [_without_ops(p) for p in precisions],
    }
    table = pa.concat_tables(tables).append_column("bits", pa.array(bits.astype(np.int64)))
    text = json.dumps(meta).encode()
    own = {_KEY: text, _CHECK: hashlib.sha256(text).hexdigest().encode()}
    pq.write_table(table.replace_schema_metadata(own), file, write_page_checksum=True)


def _plain(charges: Charges) -> _Meta:
    return {name: dataclasses.asdict(charge) for name, charge in charges}


def _without_ops(precision: Precision) -> _Meta:
    """A workload's own figures, how many operations it has, and the bits of its weights."""
    workload = precision.workload
    return workload.own() | {"bits": precision.bits, "ops": len(workload.ops)}


def read_columns(file: Path) -> CountedTrial:
    """The operations as they stand in the file, and what prices them; RecordError where damaged."""
    table, meta = _read(file)
    try:
        precisions = meta["measurement"]["precisions"] if meta["measurement"] else ()
        return CountedTrial(
            key=TrialKey.parse(meta["key"]),
            state=meta["state"],
            plan=Plan.from_dict(meta["plan"]),
            counted=tuple(
                Counted(
                    rows=rows,
                    samples=own["samples"],
                    time_steps=own["time_steps"],
                    bits=own["bits"],
                    arithmetic=_arithmetic(precision),
                    validation=Score(**precision["validation"]),
                    uncounted_macs=sum(u["dense_macs"] for u in own["uncounted"]) / own["samples"],
                )
                for (own, rows), precision in zip(  # readings stand behind, and are left out
                    _by_workload(table, meta), precisions, strict=False
                )
            ),
        )
    except _WRONG as error:
        raise RecordError(f"{file}: damaged ({error})") from error


def _read(file: Path) -> tuple[pa.Table, _Meta]:
    """The operations of all precisions, and the metadata; RecordError where damaged."""
    content = read_bytes(file, _BYTES)
    try:
        table = table_in(content)
        _check_rows(table)
        meta = _meta(opened(content))
        rows = sum(workload["ops"] for workload in meta["workloads"])
        for workload in meta["workloads"]:
            if not isinstance(workload["bits"], int):
                raise TypeError(f"bits {workload['bits']!r} of a workload")
    except _WRONG as error:
        raise RecordError(f"{file}: damaged ({error})") from error
    if rows != len(table):
        raise RecordError(f"{file}: operations are missing")
    return table, meta


def _check_rows(table: pa.Table) -> None:
    """ValueError unless all columns are there, of their types, and hold counts: from 0, finite."""
    if not table.schema.equals(_ROWS):
        raise ValueError(f"columns {', '.join(table.column_names)}")
    for field, column in zip(_ROWS, table.columns, strict=True):
        values = pc.list_flatten(column) if pa.types.is_list(field.type) else column
        if values.null_count and field.name != "block":
            raise ValueError(f"{field.name} is absent")
        if values.type in (pa.int64(), pa.float64()):
            least, most = pc.min_max(values).as_py().values()
            if least is not None and not 0 <= least <= most < math.inf:
                raise ValueError(f"{field.name} from {least} to {most}")


def _meta(file: pq.ParquetFile) -> _Meta:
    """The metadata of a file; ValueError where they are not what was written."""
    own = file.metadata.metadata or {}
    check = own.get(_CHECK)  # files from before it was kept have none
    if check is not None and hashlib.sha256(own[_KEY]).hexdigest().encode() != check:
        raise ValueError("the checksum of its metadata is another")
    meta: _Meta = json.loads(own[_KEY])
    if meta["origin"] == "probe":  # until 0.2.0, what a search proposed before its sampler did
        meta["origin"] = "sampled"
    return meta


def is_as_written(file: Path) -> bool:
    """Whether a file's metadata are as somebody wrote them, whatever they say."""
    try:
        _meta(opened(read_bytes(file, _BYTES)))
    except _WRONG:
        return False
    return True


def read_head(file: Path) -> Head:
    """An outcome without its operations, from a file's metadata; RecordError where damaged."""
    content = read_bytes(file, _BYTES)
    try:
        meta = _meta(opened(content))
        return typed(_head(meta), Plan, TrialKey)
    except _WRONG as error:
        raise RecordError(f"{file}: damaged ({error})") from error


def _head(meta: _Meta) -> Head:
    """A head out of the metadata, with its readings."""
    found = meta["measurement"]
    scores = _scores(found["precisions"] if found else ())
    plain = {f.name: meta[f.name] for f in dataclasses.fields(Ended) if f.name in meta}
    ended = Ended(
        **{**plain, **_keys(meta), "broken": _pairs(meta["broken"])},
        score=scores[0].validation.accuracy if scores else None,
        seconds=sum(found["seconds"].values()) if found and not meta["same_as"] else 0.0,
    )
    head = Head(
        ended=ended,
        plan=Plan.from_dict(meta["plan"]),
        scores=scores,
        parameters=found["parameters"] if found else 0,
        kept_weights=found["kept_weights"] if found else 0.0,
        charges=_charges(meta["charges"]),
        one_shot=Score(**found["one_shot"]).accuracy if (found or {}).get("one_shot") else None,
        refused=refused_in(found or {}),
    )
    measured = {r["time_steps"]: r["precisions"] for r in (found or {}).get("readings", ())}
    return dataclasses.replace(
        head,
        readings=tuple(head.after(one, _scores(measured[one.time_steps])) for one in _reads(meta)),
    )


def _scores(precisions: Iterable[_Meta]) -> tuple[Scores, ...]:
    return tuple(
        Scores(
            bits=p["bits"],
            arithmetic=_arithmetic(p),
            validation=Score(**p["validation"]),
            test=Score(**p["test"]) if p["test"] else None,
        )
        for p in precisions
    )


def _arithmetic(precision: _Meta) -> Arithmetic | None:
    """The integers of neurons; runs from before they were measured have none."""
    return Arithmetic(**precision["arithmetic"]) if "arithmetic" in precision else None


def _reads(meta: _Meta) -> tuple[Read, ...]:
    return tuple(
        Read(
            time_steps=one["time_steps"],
            charges=_charges(one["charges"]),
            broken=_pairs(one["broken"]),
        )
        for one in meta.get("read", ())
    )


def _keys(meta: _Meta) -> dict[str, TrialKey | None]:
    same = meta["same_as"]
    parsed = None if same is None else TrialKey.parse(same)
    return {"key": TrialKey.parse(meta["key"]), "same_as": parsed}


def _pairs(found: list[list[Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, value) for name, value in found)


def _charges(found: dict[str, _Meta]) -> Charges:
    return tuple((name, Charge(**charge)) for name, charge in found.items())


def read_outcome(file: Path) -> Outcome:
    """The outcome in a file; RecordError where it is damaged."""
    table, meta = _read(file)
    try:
        workloads = [_workload(own, rows) for own, rows in _by_workload(table, meta)]
        measured = meta["measurement"]
        measurement = None if measured is None else Measurement.from_dict(measured, workloads)
        del meta["workloads"]
        point = dict(meta.pop("point"))
        configuration = {Parameter.recorded(name): value for name, value in point.items()}
        outcome = Outcome(
            **{
                **meta,
                **_keys(meta),
                "plan": Plan.from_dict(meta["plan"]),
                "configuration": tuple(configuration.items()),
                "charges": _charges(meta["charges"]),
                "broken": _pairs(meta["broken"]),
                "read": _reads(meta),
                "measurement": measurement,
            }
        )
        return typed(outcome, Plan, TrialKey, Parameter, Op)
    except _WRONG as error:
        raise RecordError(f"{file}: damaged ({error})") from error


def _by_workload(table: pa.Table, meta: _Meta) -> Iterator[tuple[_Meta, pa.Table]]:
    """The figures of every workload in a file, in descending order of bits, with its operations."""
    first = 0
    for own in meta["workloads"]:
        yield own, table.slice(first, own["ops"])
        first += own["ops"]


def _workload(own: _Meta, table: pa.Table) -> Workload:
    figures = {name: value for name, value in own.items() if name != "bits"}
    return Workload.of_own(figures, to_ops(table))
