"""An outcome as a Parquet file: operations as rows, everything else as JSON in its metadata.

The operations of every precision at which the network was measured stand below each other, told
apart by the column ``bits``.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from autoprune.errors import AutopruneError, RecordError
from autoprune.measurement import Measurement
from autoprune.op_table import to_ops, to_table
from autoprune.outcome import Charge, Outcome
from autoprune.plan import Plan
from autoprune.workload import Elementwise, Uncounted, Workload

_KEY = b"autoprune"


def write_outcome(outcome: Outcome, file: Path) -> None:
    """Write a file that `read_outcome` reads back equal."""
    measurement = outcome.measurement
    workloads = {} if measurement is None else {measurement.accuracy_bits: measurement.workload}
    tables = [to_table(w.ops) for w in workloads.values()] or [to_table(())]
    bits = np.repeat(list(workloads), [len(w.ops) for w in workloads.values()]).astype(np.int64)
    meta = {
        **{f.name: getattr(outcome, f.name) for f in dataclasses.fields(outcome)},
        "plan": outcome.plan.to_dict(),
        "charges": {name: dataclasses.asdict(charge) for name, charge in outcome.charges},
        "measurement": measurement.to_dict() if measurement else None,
        "workloads": [_without_ops(bits, workload) for bits, workload in workloads.items()],
    }
    table = pa.concat_tables(tables).append_column("bits", pa.array(bits))
    pq.write_table(table.replace_schema_metadata({_KEY: json.dumps(meta).encode()}), file)


def _without_ops(bits: int, workload: Workload) -> dict[str, Any]:
    """A workload's own figures, and how many operations it has."""
    own = {f.name: getattr(workload, f.name) for f in dataclasses.fields(workload)}
    return {
        **own,
        "bits": bits,
        "ops": len(workload.ops),
        "elementwise": [dataclasses.asdict(item) for item in workload.elementwise],
        "uncounted": [dataclasses.asdict(item) for item in workload.uncounted],
    }


def read_columns(file: Path) -> tuple[pa.Table, dict[str, Any]]:
    """The operations as they stand in the file, and its metadata; RecordError where damaged."""
    try:
        table = pq.ParquetFile(file).read(use_threads=False)
        meta: dict[str, Any] = json.loads((table.schema.metadata or {})[_KEY])
        rows = sum(workload["ops"] for workload in meta["workloads"])
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise RecordError(f"{file}: damaged ({error})") from error
    if rows != len(table):
        raise RecordError(f"{file}: operations are missing")
    return table, meta


def read_outcome(file: Path) -> Outcome:
    """The outcome in a file; RecordError where it is damaged."""
    table, meta = read_columns(file)
    try:
        workloads = {
            own.pop("bits"): _workload(own, table, bits)
            for own, bits in ((own, own["bits"]) for own in meta.pop("workloads"))
        }
        measured = meta.pop("measurement")
        measurement = None
        if measured is not None:
            measurement = Measurement.from_dict(measured, workloads[measured["accuracy_bits"]])
        return Outcome(
            **{
                **meta,
                "plan": Plan.from_dict(meta["plan"]),
                "point": tuple((name, value) for name, value in meta["point"]),
                "charges": tuple((name, Charge(**c)) for name, c in meta["charges"].items()),
                "measurement": measurement,
            }
        )
    except (KeyError, TypeError, ValueError, AutopruneError) as error:
        raise RecordError(f"{file}: damaged ({error})") from error


def _workload(own: dict[str, Any], table: pa.Table, bits: int) -> Workload:
    return Workload(
        **{
            **own,
            "ops": to_ops(table.filter(pc.equal(table["bits"], bits))),
            "elementwise": tuple(Elementwise(**item) for item in own["elementwise"]),
            "uncounted": tuple(Uncounted(**item) for item in own["uncounted"]),
        }
    )
