"""Rows: what is known of a trial on a machine's front, and of any trial, column by column.

CSV, JSON, data frames, tables and the page take their columns from here. In a column's name
``accuracy`` stands for the name of the study's score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Final, NamedTuple, TypeAlias

from autoprune.networks.shape import NetworkShape
from autoprune.report.front.diagnostics import Diagnostics
from autoprune.report.front.front import Row
from autoprune.runs.outcome import Head, Origin, State
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score, Scores

Cell: TypeAlias = bool | int | float | str | None
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

SCHEMA: Final = 1
"""Version of columns and keys, also in JSON and frames: a new one where a name or meaning changes.

What each means, and its unit: docs/columns.md."""


def _scored(part: str, score: Callable[[Row], Score | None]) -> dict[str, Column]:
    """The columns of a score and the ends of its 95 % interval."""

    def value(pick: Callable[[Score], float]) -> Callable[[Row], Cell]:
        return lambda row: None if (found := score(row)) is None else pick(found)

    return {
        f"{part}_accuracy": Column(value=value(lambda found: found.accuracy)),
        f"{part}_low": Column(value=value(lambda found: found.interval[0])),
        f"{part}_high": Column(value=value(lambda found: found.interval[1])),
    }


def _posterior(name: str) -> Callable[[Row], Cell]:
    return lambda row: None if row.posterior is None else getattr(row.posterior, name)


FRONT: Final[Mapping[str, Column]] = {
    "trial": Column(value=lambda row: row.trial),
    "origin": Column(value=lambda row: row.origin),
    "accuracy_bits": Column(unit="bits of a weight", value=lambda row: row.accuracy_bits),
    "in_integers": Column(value=lambda row: row.in_integers),
    **_scored("val", lambda row: row.validation),
    "floating_val_accuracy": Column(value=lambda row: row.floating.accuracy),
    "rounded_val_accuracy": Column(value=lambda row: row.rounded.accuracy),
    "expected_accuracy": Column(value=_posterior("expected")),
    "chance": Column(value=_posterior("chance")),
    **_scored("test", lambda row: row.test),
    "energy_uj": Column(unit="µJ per inference", value=lambda row: row.energy_uj),
    "energy_ratio": Column(value=lambda row: row.energy_ratio),
    "kept_weights": Column(value=lambda row: row.kept_weights),
    "parameters": Column(value=lambda row: row.parameters),
    **_scored("uniform_val", lambda row: row.uniform),
    "uniform_energy_uj": Column(unit="µJ per inference", value=lambda row: row.uniform_energy_uj),
    "beats_uniform": Column(value=lambda row: row.beats_uniform),
    **{
        field.name: Column(unit=_UNITS.get(field.name, ""), value=_figure(field.name))
        for field in fields(Diagnostics)
    },
    "host_share": Column(value=lambda row: row.host_share),
    "plan": Column(value=lambda row: row.plan),
}
"""Every column of a front's row by name: those of CSV, JSON and data frames alike."""


def front_columns(score: str) -> list[str]:
    """The names of FRONT as they are written: a study's own score in place of ``accuracy``."""
    return [_written(name, score) for name in FRONT]


def _written(name: str, score: str) -> str:
    return name.replace("accuracy", score) if name.endswith("_accuracy") else name


def front_cells(row: Row) -> dict[str, Cell]:
    """The values of a row by their written names."""
    score = row.validation.name
    return {_written(name, score): column.value(row) for name, column in FRONT.items()}


def score_cells(part: str, score: Score | None) -> dict[str, Cell]:
    """A score of validation (``val``) or test data with its 95 % interval; nothing of none."""
    if score is None:
        return {}
    low, high = score.interval
    return {f"{part}_{score.name}": score.accuracy, f"{part}_low": low, f"{part}_high": high}


class On(NamedTuple):
    """What a trial is worth on a machine; None where it is not known.

    Attributes:
        validation: its score, 0 to 1, with weights of the bits that the machine is paired with.
        energy_uj: per inference.
    """

    validation: float | None
    energy_uj: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial or baseline as it ended, whatever the machine.

    Attributes:
        key, state, origin, same_as, cause, broken: as in `Outcome`.
        plan: in short form.
        scores: as in `Head`.
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
    scores: tuple[Scores, ...]
    parameters: int | None
    kept_weights: float | None
    seconds: float | None

    @property
    def measured(self) -> bool:
        """Whether it has a measurement, its own or an earlier trial's."""
        return bool(self.scores)

    def cells(self, on: Mapping[str, On], fronts: Iterable[str]) -> dict[str, Cell]:
        """Its columns among all trials: what it is `on` machines, and `fronts` that it is on.

        A score is of the network as it is, with weights of ``accuracy_bits`` bits, and
        ``val_accuracy@MACHINE`` with those that the machine is paired with, as on its front.
        """
        own = self.scores[0] if self.scores else None
        score = own.validation.name if own else "accuracy"
        return {
            "trial": self.key.number,
            "state": self.state,
            "origin": self.origin,
            "accuracy_bits": own.bits if own else None,
            f"val_{score}": own.validation.accuracy if own else None,
            f"test_{score}": own.test.accuracy if own and own.test else None,
            **{f"val_{score}@{name}": one.validation for name, one in on.items()},
            **{f"energy_uj@{name}": one.energy_uj for name, one in on.items()},
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
        plan=head.words(head.plan.short(shape)),
        scores=head.scores,
        parameters=head.parameters if found else None,
        kept_weights=head.kept_weights if found else None,
        seconds=ended.seconds if found and not ended.same_as else None,
    )
