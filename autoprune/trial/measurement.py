"""Measurement: everything that one trial found out about one compressed network."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from autoprune.compress.plan import Plan
from autoprune.errors import InputError
from autoprune.workload.workload import Workload

_Z95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many of `total` samples were classified correctly, or another score from 0 to 1.

    Attributes:
        correct: correct samples; of a score that a study's own function gives, its value times
            `total`.
        total: samples.
        name: ``accuracy``, or that of the study's function.
    """

    correct: float
    total: int
    name: str = "accuracy"

    def __post_init__(self) -> None:
        if not 0 <= self.correct <= self.total or self.total < 1:
            raise InputError("score", f"{self.correct} of {self.total}", "0 <= correct <= total")

    @property
    def accuracy(self) -> float:
        """Share of correct samples, or the score, 0 to 1."""
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at 95 % (Wilson, J. Am. Stat. Assoc. 22, 1927).

        Of a mean of numbers from 0 to 1 it is wider than need be, since their variance is at most
        that of a share; of a score that is no mean over samples it is only a rule of thumb.
        """
        n, p = self.total, self.accuracy
        z2 = _Z95 * _Z95
        centre = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """Where a trial's time went, in seconds."""

    training: float
    evaluation: float
    census: float
    other: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """What was measured with weights of so many bits.

    Attributes:
        bits: of a weight.
        validation: what search sees.
        test: printed beside, decides nothing; None where test data were not evaluated, as of trials
            that are on no front.
        workload: its operations; a weight that was rounded to zero is one.
    """

    bits: int
    validation: Score
    test: Score | None
    workload: Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The same network read after another number of time steps than it was trained for.

    Attributes:
        time_steps: after which it is read. precisions: as in `Measurement`.
    """

    time_steps: int
    precisions: tuple[Precision, ...]


def paired_bits(measured: Sequence[int], weight_bits: int) -> int:
    """The bits, of those measured in descending order, that go with a machine of `weight_bits`.

    The same where they were measured; else the most below them, whose weights such a machine can
    hold; else the fewest above them, which the machine cannot repeat.
    """
    return next((bits for bits in measured if bits <= weight_bits), measured[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a trial measured.

    Attributes:
        plan: the plan that was carried out. seed: of its fine-tuning.
        precisions: by descending bits; the first is the network as it is, of the plan's bits.
        parameters: parameters of the network as it is that are not zero, those of neurons included.
        kept_weights: its nonzero block weights relative to the parent's, 0 to 1.
        seconds: the time it took.
        readings: what it is after other numbers of time steps, ascending; see `after`.
    """

    plan: Plan
    seed: int
    precisions: tuple[Precision, ...]
    parameters: int
    kept_weights: float
    seconds: Seconds
    readings: tuple[Reading, ...] = ()

    def __post_init__(self) -> None:
        for precisions in (self.precisions, *(reading.precisions for reading in self.readings)):
            bits = [precision.bits for precision in precisions]
            if not bits or bits != sorted(set(bits), reverse=True):
                raise InputError("measurement", f"precisions of {bits} bits", "bits that descend")

    def after(self, time_steps: int) -> Measurement:
        """What is measured where the network is read after so many steps, one of its readings.

        Raises InputError where it was not.
        """
        for reading in self.readings:
            if reading.time_steps == time_steps:
                return replace(self, precisions=reading.precisions, readings=())
        known = ", ".join(str(reading.time_steps) for reading in self.readings)
        raise InputError("reading", f"after {time_steps} steps", known or "as it was trained")

    @property
    def all_precisions(self) -> tuple[Precision, ...]:
        """Those of the network as it was trained, then those of its readings."""
        return (*self.precisions, *(p for r in self.readings for p in r.precisions))

    @property
    def validation(self) -> Score:
        """The validation score of the network as it is."""
        return self.precisions[0].validation

    @property
    def test(self) -> Score | None:
        """The test score of the network as it is; None where test data were not evaluated."""
        return self.precisions[0].test

    def with_tests(self, scores: Sequence[Score], after: int | None = None) -> Measurement:
        """The same with a test score for each precision, as it was trained or of a reading."""
        if after is None:
            return replace(self, precisions=_tested(self.precisions, scores))
        return replace(
            self,
            readings=tuple(
                replace(r, precisions=_tested(r.precisions, scores)) if r.time_steps == after else r
                for r in self.readings
            ),
        )

    @property
    def workload(self) -> Workload:
        """The operations of the network as it is."""
        return self.precisions[0].workload

    def at(self, weight_bits: int) -> Precision:
        """What a machine whose weights have so many bits is paired with.

        See `paired_bits`.
        """
        bits = paired_bits([p.bits for p in self.precisions], weight_bits)
        return next(p for p in self.precisions if p.bits == bits)

    def to_dict(self) -> dict[str, object]:
        """Plain containers without the workloads, which are stored beside."""
        return {
            "plan": self.plan.to_dict(),
            "seed": self.seed,
            "precisions": _scores(self.precisions),
            "readings": [
                {"time_steps": r.time_steps, "precisions": _scores(r.precisions)}
                for r in self.readings
            ],
            "parameters": self.parameters,
            "kept_weights": self.kept_weights,
            "seconds": asdict(self.seconds),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], workloads: Sequence[Workload]) -> Measurement:
        """The measurement that `to_dict` wrote, with the workloads of all its precisions."""
        left = iter(workloads)
        return cls(
            **{
                **data,
                "plan": Plan.from_dict(data["plan"]),
                "precisions": _precisions(data["precisions"], left),
                "readings": tuple(
                    Reading(
                        time_steps=reading["time_steps"],
                        precisions=_precisions(reading["precisions"], left),
                    )
                    for reading in data.get("readings", ())
                ),
                "seconds": Seconds(**data["seconds"]),
            }
        )


def _tested(precisions: Sequence[Precision], scores: Sequence[Score]) -> tuple[Precision, ...]:
    pairs = zip(precisions, scores, strict=True)
    return tuple(replace(precision, test=score) for precision, score in pairs)


def _scores(precisions: Sequence[Precision]) -> list[dict[str, object]]:
    return [
        {
            "bits": p.bits,
            "validation": asdict(p.validation),
            "test": asdict(p.test) if p.test else None,
        }
        for p in precisions
    ]


def _precisions(
    found: Sequence[Mapping[str, Any]], workloads: Iterator[Workload]
) -> tuple[Precision, ...]:
    return tuple(
        Precision(
            bits=one["bits"],
            validation=Score(**one["validation"]),
            test=Score(**one["test"]) if one["test"] else None,
            workload=workload,
        )
        for one, workload in zip(found, islice(workloads, len(found)), strict=True)
    )
