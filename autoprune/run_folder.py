"""RunFolder: the files of a run, and how outcomes are written to and read from them.

    study.json            the study, its search space and the network's shape
    study.toml            the study's file as it was read
    machines/NAME.toml    the machines as they were read
    parent.safetensors    the trained parent
    optuna.journal        the Optuna study
    baselines/NAME.parquet, trials/NNNNN.parquet    one outcome each
    checkpoints/NNNNN.safetensors, NAME.safetensors weights of front members
    fronts/MACHINE/       front.csv, front.json, front.png

An outcome's Parquet file has one row per operation of its workloads, with the bits of the weights
in the column ``bits``; everything else is JSON in the file's metadata, under the key ``autoprune``.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from autoprune.errors import RecordError
from autoprune.measurement import Measurement
from autoprune.op import Op
from autoprune.outcome import Outcome
from autoprune.plan import Plan
from autoprune.shape import BlockShape, BranchShape, MatrixShape, NetworkShape
from autoprune.storage import PARTIAL, write_atomically, write_text
from autoprune.workload import Workload

FORMAT = 2
_KEY = b"autoprune"
_FIELDS = tuple(field.name for field in dataclasses.fields(Op))
_NESTED = ("geometry", "activity")


class RunFolder:
    """A run folder; nothing is created until something is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trials = path / "trials"
        self.baselines = path / "baselines"
        self.machines = path / "machines"
        self.checkpoints = path / "checkpoints"
        self.fronts = path / "fronts"
        self.parent = path / "parent.safetensors"
        self.journal = path / "optuna.journal"
        self.study_file = path / "study.json"

    def file(self, key: str) -> Path:
        """Where the outcome of that key lies."""
        folder = self.trials if key.isdecimal() else self.baselines
        return folder / f"{_stem(key)}.parquet"

    def checkpoint(self, key: str) -> Path:
        """Where the weights of that trial or baseline lie, if they were kept."""
        return self.checkpoints / f"{_stem(key)}.safetensors"

    def write(self, outcome: Outcome) -> None:
        """Put an outcome on disk, synced, whole or not at all."""
        table = _to_table(outcome)
        write_atomically(self.file(outcome.key), lambda part: pq.write_table(table, part))

    def read(self, key: str) -> Outcome:
        """The outcome of that key, also with the mark that a front prints, as in ``7b`` or ``8u``.

        Raises RecordError where there is none or its file is damaged.
        """
        marked = key[-1:] in ("b", "u") and key[:-1].isdecimal()
        file = self.file(key[:-1] if marked else key)
        if not file.is_file():
            raise RecordError(f"{self.path}: no trial {key!r}")
        return _read(file)

    def read_workload(self, key: str, weight_bits: int | None = None) -> Workload:
        """The workload of a trial or baseline; RecordError where it was not measured.

        Of the network as it is, or as a machine of `weight_bits` bits is paired with it.
        """
        self.read_study()
        outcome = self.read(key)
        if outcome.measurement is None:
            raise RecordError(f"{self.path}: trial {key} failed and has no workload")
        if weight_bits is None:
            return outcome.measurement.workload
        return outcome.measurement.at(weight_bits).workload

    def read_trials(self) -> list[Outcome]:
        """The outcomes of all trials, by number."""
        return [_read(file) for file in sorted(self.trials.glob("*.parquet"))]

    def read_baselines(self) -> dict[str, Outcome]:
        """The outcomes of all baselines by key."""
        found = [_read(file) for file in sorted(self.baselines.glob("*.parquet"))]
        return {outcome.key: outcome for outcome in found}

    def clean(self) -> list[Path]:
        """Remove what a crash left half-written; returns the files that were removed."""
        removed = list(self.path.rglob(f"*{PARTIAL}"))
        for folder in (self.trials, self.baselines):
            for file in folder.glob("*.parquet"):
                try:
                    _read(file)
                except RecordError:
                    removed.append(file)
        for file in removed:
            file.unlink()
        return removed

    def write_study(self, study: dict[str, Any]) -> None:
        """Put down what the run is of; see `read_study`."""
        write_text(self.study_file, json.dumps({"autoprune_run": FORMAT, **study}, indent=1))

    def read_study(self) -> dict[str, Any]:
        """What `write_study` put down.

        Raises RecordError where this is no run folder, or that of another version.
        """
        try:
            study = json.loads(self.study_file.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RecordError(f"{self.path}: not a run folder (it has no study.json)") from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise RecordError(f"{self.study_file}: damaged ({error})") from error
        version = study.get("autoprune_run") if isinstance(study, dict) else None
        if version != FORMAT:
            given = f"a run of version {version}" if version else "not a run"
            raise RecordError(
                f"{self.study_file}: {given}; expected version {FORMAT}, in which a trial is "
                "measured at the bits of every machine: run the study again, in another folder"
            )
        return dict(study)

    @property
    def data(self) -> str:
        """What the run's data set is, in words."""
        return str(self.read_study().get("data", ""))

    @property
    def shape(self) -> NetworkShape:
        """What the run's network offers to compression."""
        blocks = self.read_study()["shape"]["blocks"]
        return NetworkShape(
            blocks=tuple(
                BlockShape(branches=tuple(_branch(branch) for branch in block["branches"]))
                for block in blocks
            )
        )


def _stem(key: str) -> str:
    return f"{int(key):05d}" if key.isdecimal() else key.replace(" ", "_")


def _branch(data: dict[str, Any]) -> BranchShape:
    matrices = tuple(MatrixShape(**matrix) for matrix in data["matrices"])
    return BranchShape(**{**data, "matrices": matrices})


def _to_table(outcome: Outcome) -> pa.Table:
    measurement = outcome.measurement
    ops, workloads = [], []
    for precision in measurement.precisions if measurement else ():
        whole = precision.workload
        rest = json.loads(dataclasses.replace(whole, ops=()).to_json())
        workloads.append({**rest, "operations": len(whole.ops)})
        ops += [{"bits": precision.bits, **_row(op)} for op in whole.ops]
    meta = {
        **{f.name: getattr(outcome, f.name) for f in dataclasses.fields(outcome)},
        "plan": outcome.plan.to_dict(),
        "measurement": measurement.to_dict() if measurement else None,
        "workloads": workloads,
    }
    table = pa.Table.from_pylist(ops)
    return table.replace_schema_metadata({_KEY: json.dumps(meta).encode()})


def _row(op: Op) -> dict[str, Any]:
    """The fields of an operation; `dataclasses.asdict` would copy every count of every step."""
    row = {name: getattr(op, name) for name in _FIELDS}
    for part in _NESTED:
        row[part] = json.dumps(row[part] and dataclasses.asdict(row[part]))
    return row


def _read(file: Path) -> Outcome:
    try:
        table = pq.read_table(file)
        meta = json.loads((table.schema.metadata or {})[_KEY])
        measured, workloads = meta.pop("measurement"), meta.pop("workloads")
        measurement = None
        if measured is not None:
            found = _workloads(table.to_pylist(), measured, workloads, file)
            measurement = Measurement.from_dict(measured, found)
        return Outcome(
            **{
                **meta,
                "plan": Plan.from_dict(meta["plan"]),
                "point": tuple((name, value) for name, value in meta["point"]),
                "measurement": measurement,
            }
        )
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{file}: damaged ({error})") from error


def _workloads(
    ops: list[dict[str, Any]], measured: dict[str, Any], workloads: list[dict[str, Any]], file: Path
) -> list[Workload]:
    """The workload of every precision, out of the rows of the file."""
    by_bits: dict[int, list[dict[str, Any]]] = {p["bits"]: [] for p in measured["precisions"]}
    for op in ops:
        op.update({part: json.loads(op[part]) for part in _NESTED})
        by_bits[op.pop("bits")].append(op)
    found = []
    for workload, rows in zip(workloads, by_bits.values(), strict=True):
        if workload.pop("operations") != len(rows):
            raise RecordError(f"{file}: operations are missing")
        found.append(Workload.from_json(json.dumps({**workload, "ops": rows}), str(file)))
    return found
