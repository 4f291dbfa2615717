"""Rows: what is known of a trial on a machine's front, and of any trial, column by column.

CSV, JSON, data frames, tables and the page take their columns from here. In a column's name
``accuracy`` stands for the name of the study's score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from autoprune.networks.shape import NetworkShape
from autoprune.report.front.diagnostics import Diagnostics
from autoprune.report.front.front import Row
from autoprune.runs.outcome import Head, Origin, State
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score

Cell: TypeAlias = bool | int | float | str | tuple[float, float] | Mapping[str, "Cell"] | None
"""One value of a row: what JSON holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a front's row: the unit of its numbers, and its value in a row."""

    unit: str = ""
    value: Callable[[Row], Cell]


def _figure(name: str) -> Callable[[Row], Cell]:
    return lambda row: None if row.figures is None else getattr(row.figures, name)


_UNITS: Final = {
    "least_uj": "µJ per inference",
    "dynamic_uj": "µJ per inference",
    "latency_us": "µs",
    "edp_uj_ms": "µJ ms",
    "memory_kib": "KiB",
}

FRONT: Final[Mapping[str, Column]] = {
    "trial": Column(value=lambda row: row.trial),
    "origin": Column(value=lambda row: row.origin),
    "val_accuracy": Column(value=lambda row: row.validation.accuracy),
    "val_low": Column(value=lambda row: row.validation.interval[0]),
    "val_high": Column(value=lambda row: row.validation.interval[1]),
    "val_interval": Column(value=lambda row: row.validation.interval),
    "test_accuracy": Column(value=lambda row: row.test.accuracy),
    "test_interval": Column(value=lambda row: row.test.interval),
    "accuracy_bits": Column(unit="bits of a weight", value=lambda row: row.accuracy_bits),
    "energy_uj": Column(unit="µJ per inference", value=lambda row: row.energy_uj),
    "energy_ratio": Column(value=lambda row: row.energy_ratio),
    "kept_weights": Column(value=lambda row: row.kept_weights),
    "parameters": Column(value=lambda row: row.parameters),
    "plan": Column(value=lambda row: row.plan),
    "uniform": Column(value=lambda row: score_cells("val", row.uniform) if row.uniform else None),
    "beats_uniform": Column(value=lambda row: row.beats_uniform),
    **{
        field.name: Column(unit=_UNITS.get(field.name, ""), value=_figure(field.name))
        for field in fields(Diagnostics)
    },
    "host_share": Column(value=lambda row: row.host_share),
}
"""Every column of a front's row by name; what each means: `Row` and `Diagnostics`."""

IN_CSV = (
    "trial",
    "origin",
    "val_accuracy",
    "test_accuracy",
    "energy_uj",
    "energy_ratio",
    "kept_weights",
    "plan",
    *(field.name for field in fields(Diagnostics)),
)
"""Columns of front.csv."""

IN_JSON = (
    *IN_CSV,
    "accuracy_bits",
    "val_interval",
    "test_interval",
    "uniform",
    "beats_uniform",
)
"""Columns of front.json."""

IN_FRAME = (
    "trial",
    "val_accuracy",
    "val_low",
    "val_high",
    "test_accuracy",
    "energy_uj",
    "energy_ratio",
    "kept_weights",
    "parameters",
    "latency_us",
    "origin",
    "plan",
)
"""Columns of a front as a data frame."""

IN_PICK = (
    "trial",
    "val_accuracy",
    "val_interval",
    "test_accuracy",
    "energy_uj",
    "energy_ratio",
    "parameters",
    "kept_weights",
    "host_share",
    "plan",
)
"""Columns of a picked trial."""


def column_names(columns: Iterable[str], score: str) -> list[str]:
    """The columns as they are written: a study's own score in place of ``accuracy``."""
    return [
        name.replace("accuracy", score) if name.endswith("_accuracy") else name for name in columns
    ]


def front_cells(row: Row, columns: Sequence[str]) -> dict[str, Cell]:
    """The values of some columns of FRONT in a row, by their written names."""
    names = column_names(columns, row.validation.name)
    return {name: FRONT[column].value(row) for name, column in zip(names, columns, strict=True)}


def score_cells(part: str, score: Score) -> dict[str, Cell]:
    """A score of validation (``val``) or test data with its 95 % interval."""
    return {f"{part}_{score.name}": score.accuracy, f"{part}_interval": score.interval}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial or baseline as it ended, whatever the machine.

    Attributes:
        key, state, origin, same_as, cause, broken: as in `Outcome`.
        plan: in short form.
        scores: bits, validation and test score, by descending bits; none where nothing was
            measured.
        parameters, kept_weights: as in `Measurement`; None where nothing was measured.
        seconds: that it took; None where nothing was measured, or an earlier trial's is shared.
    """

    key: TrialKey
    state: State
    origin: Origin
    same_as: TrialKey | None
    cause: str
    broken: tuple[tuple[str, float], ...]
    plan: str
    scores: tuple[tuple[int, Score, Score], ...]
    parameters: int | None
    kept_weights: float | None
    seconds: float | None

    @property
    def measured(self) -> bool:
        """Whether it has a measurement, its own or an earlier trial's."""
        return bool(self.scores)

    def cells(self, energies: Mapping[str, float | None], fronts: Iterable[str]) -> dict[str, Cell]:
        """Its columns among all trials: `energies` in µJ by machine, `fronts` that it is on."""
        _, validation, test = self.scores[0] if self.scores else (None, None, None)
        score = validation.name if validation else "accuracy"
        return {
            "trial": self.key.number,
            "state": self.state,
            "origin": self.origin,
            f"val_{score}": validation.accuracy if validation else None,
            f"test_{score}": test.accuracy if test else None,
            **{f"energy_uj@{machine}": energy for machine, energy in energies.items()},
            "fronts": ", ".join(fronts),
            "parameters": self.parameters,
            "kept_weights": self.kept_weights,
            "seconds": self.seconds,
            "same_as": None if self.same_as is None else str(self.same_as),
            "cause": self.cause,
            "broken": ", ".join(budget for budget, _ in self.broken),
            "plan": self.plan,
        }


def trial_row(head: Head, shape: NetworkShape) -> TrialRow:
    """The row of an outcome of a network of that shape."""
    ended, found = head.ended, bool(head.scores)
    return TrialRow(
        key=ended.key,
        state=ended.state,
        origin=ended.origin,
        same_as=ended.same_as,
        cause=ended.cause,
        broken=ended.broken,
        plan=head.plan.short(shape),
        scores=head.scores,
        parameters=head.parameters if found else None,
        kept_weights=head.kept_weights if found else None,
        seconds=ended.seconds if found and not ended.same_as else None,
    )
