"""RunRecord: what stands in study.json, written and parsed here and nowhere else."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.effort import Effort
from autoprune.config import Json
from autoprune.errors import AutopruneError, RecordError
from autoprune.files import typed
from autoprune.networks.place import BRANCHES
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape

FORMAT = 3
"""The format of run folders that is read and written; one of another is refused."""

Identity: TypeAlias = Mapping[str, Json]
"""Everything that decides what a trial is and what Optuna is told of it; see `study.identity`."""

_WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, AutopruneError)
"""What anything else makes its reader raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a run is besides its folder; None where it is nowhere else.

    Attributes:
        storage: address of the database that holds the Optuna study, without a password.
        study: name of the Optuna study there.
        artifacts: address of the run's own place on storage that nodes share.
        mark: what stands there to show that it is this run's.
        mlflow: what its MLflow runs are tagged with.
    """

    storage: str | None = None
    study: str | None = None
    artifacts: str | None = None
    mark: str | None = None
    mlflow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volumes:
    """Hypervolumes of one machine's front.

    Attributes:
        reference: accuracy and energy in microjoules above which they are taken.
        trials, uniform: of all trials, and of the uniform sweep alone.
        history: trial numbers at which the first grew, and what it was then.
    """

    reference: tuple[float, float]
    trials: float
    uniform: float
    history: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How the trials that a sampler proposed came out beside what it expected of them.

    Attributes:
        trials: that it expected something of, and that have values.
        errors: by objective, the root mean square of errors over the standard deviations expected.
        expected, realised: gain of hypervolume, summed over trials, as a share of what the fronts'
            boxes hold.
    """

    trials: int
    errors: Mapping[str, float]
    expected: float
    realised: float

    @property
    def ratio(self) -> float | None:
        """Expected over realised gain; None where nothing was gained, but for rounding."""
        return self.expected / self.realised if self.realised > 1e-6 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a run is of.

    Attributes:
        title: of its study. data: its data set, in words. trials: that the study asks for.
        shape: what its network offers to compression: blocks, stem and head.
        effort: what a plan takes where the space is silent.
        weight_bits: bits of a weight at which all its trials are measured, descending.
        arithmetics: integers of machines in which they are measured, too; a run from before they
            were has none.
        folder: where the study's file lay. data_root: folder of the data's files.
        identity: see there. places: where it is besides its folder.
        machine_folders: where the machines' files lay, by name.
        hypervolumes: by machine; empty before the first front.
        calibration: of what was proposed so far; None of a sampler that expects nothing.
    """

    title: str = ""
    data: str = ""
    trials: int = 0
    shape: NetworkShape
    effort: Effort = field(default_factory=lambda: Effort(time_steps=1, learning_rate=0, epochs=0))
    weight_bits: tuple[int, ...] = ()
    arithmetics: tuple[Arithmetic, ...] = ()
    folder: str = ""
    data_root: str | None = None
    identity: Identity = field(default_factory=dict)
    places: Places = Places()
    machine_folders: Mapping[str, str] = field(default_factory=dict)
    hypervolumes: Mapping[str, Volumes] = field(default_factory=dict)
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        _texts("title, data, folder", self.title, self.data, self.folder)
        _texts("data_root", self.data_root or "")
        _counts("trials, weight_bits", self.trials, *self.weight_bits)
        _texts("machine_folders", *self.machine_folders, *self.machine_folders.values())
        _texts("places", *(place or "" for place in asdict(self.places).values()))

    @property
    def price_host(self) -> bool:
        """Whether its study asks for the energy of what machines leave to a host."""
        return self.identity.get("price_host") is True

    def to_json(self) -> str:
        """The text of study.json."""
        return json.dumps({"autoprune_run": FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str, where: str) -> RunRecord:
        """The record that `to_json` wrote.

        Raises RecordError, at `where`, for a run of another format, and for anything that is no
        record.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecordError(f"{where}: damaged ({error})") from error
        version = data.get("autoprune_run") if isinstance(data, dict) else None
        if type(version) is not int or version != FORMAT:
            given = f"a run of version {version!r}" if version else "not a run"
            raise RecordError(
                f"{where}: {given}; expected version {FORMAT}: run the study again, in another "
                "folder, or read this one with the version that wrote it"
            )
        del data["autoprune_run"]
        try:
            return cls(
                **{
                    **data,
                    "shape": _shape(data["shape"]),
                    "effort": Effort(**data["effort"]),
                    "weight_bits": tuple(data["weight_bits"]),
                    "arithmetics": tuple(map(_arithmetic, data.get("arithmetics", ()))),
                    "places": Places(**data["places"]),
                    "machine_folders": dict(data["machine_folders"]),
                    "identity": dict(data["identity"]),
                    "hypervolumes": {n: _volumes(v) for n, v in data["hypervolumes"].items()},
                    "calibration": _calibration(data.get("calibration")),
                }
            )
        except _WRONG as error:
            raise RecordError(f"{where}: damaged ({type(error).__name__}: {error})") from error


def _arithmetic(data: Mapping[str, Any]) -> Arithmetic:
    return typed(Arithmetic(**data))


def _shape(data: Mapping[str, Any]) -> NetworkShape:
    if not data["blocks"]:
        raise RecordError("shape: no blocks")
    return NetworkShape(
        blocks=tuple(
            BlockShape(branches=tuple(_branch(branch) for branch in block["branches"]))
            for block in data["blocks"]
        ),
        stem=_matrices(data["stem"]),
        head=_matrices(data["head"]),
    )


def _branch(data: Mapping[str, Any]) -> BranchShape:
    _texts("shape", data["name"], data.get("fixed", ""))
    if data["name"] not in BRANCHES:
        raise RecordError(f"shape: a branch {data['name']!r}; expected {', '.join(BRANCHES)}")
    _counts("shape", data["groups"], data["size"], least=1)
    matrices = _matrices(data["matrices"])
    if not matrices:
        raise RecordError(f"shape: {data['name']} has no matrices")
    return BranchShape(**{**data, "matrices": matrices})


def _matrices(data: Sequence[Mapping[str, Any]]) -> tuple[MatrixShape, ...]:
    found = tuple(MatrixShape(**matrix) for matrix in data)
    _texts("shape", *(matrix.name for matrix in found))
    _counts("shape", *(matrix.weights_per_dimension for matrix in found), least=1)
    _counts("shape", *(matrix.inputs for matrix in found))
    return found


def _volumes(data: Mapping[str, Any]) -> Volumes:
    accuracy, energy = data["reference"]
    return Volumes(
        reference=(_number(accuracy), _number(energy)),
        trials=_number(data["trials"]),
        uniform=_number(data["uniform"]),
        history=tuple((int(trial), _number(volume)) for trial, volume in data["history"]),
    )


def _calibration(data: Mapping[str, Any] | None) -> Calibration | None:
    if data is None:
        return None
    _counts("calibration", data["trials"])
    _texts("calibration", *data["errors"])
    return Calibration(
        trials=data["trials"],
        errors={name: _number(error) for name, error in data["errors"].items()},
        expected=_number(data["expected"]),
        realised=_number(data["realised"]),
    )


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError(f"{value!r} is no number")
    return float(value)  # type: ignore[arg-type]


def _texts(where: str, *values: object) -> None:
    for value in values:
        if not isinstance(value, str):
            raise RecordError(f"{where}: {value!r} is no text")


def _counts(where: str, *values: object, least: int = 0) -> None:
    for value in values:
        if type(value) is not int or not least <= value < 2**63:
            raise RecordError(f"{where}: {value!r} is no count from {least}")
