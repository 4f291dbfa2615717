"""Measurement: everything that one trial found out about one compressed network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, TypeAlias

from autoprune.compress.arithmetic import Arithmetic
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
    """What was measured with weights of so many bits, and neurons as they are or in integers.

    Attributes:
        bits: of a weight.
        arithmetic: the integers that neurons, too, computed in; None where as they were trained.
        validation: what search sees.
        test: printed beside, decides nothing; None where test data were not evaluated, as of trials
            that are on no front.
        workload: its operations; a weight that was rounded to zero is one.
    """

    bits: int
    validation: Score
    test: Score | None
    workload: Workload
    arithmetic: Arithmetic | None = None

    @property
    def scores(self) -> Scores:
        """It without its workload."""
        return Scores(
            bits=self.bits,
            arithmetic=self.arithmetic,
            validation=self.validation,
            test=self.test,
        )

    @property
    def words(self) -> str:
        """In which numbers, such as ``8 bits`` or ``8 bits, in integers of 24``."""
        return self.scores.words


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a network scores in some numbers; attributes as in `Precision`."""

    bits: int
    validation: Score
    test: Score | None
    arithmetic: Arithmetic | None = None

    @property
    def words(self) -> str:
        """In which numbers, such as ``8 bits`` or ``8 bits, in integers of 24``."""
        own = self.arithmetic
        return f"{self.bits} bits" + ("" if own is None else f", in integers of {own.state}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Integers of a machine that do not hold a network.

    Attributes:
        arithmetic: the machine's. cause: why not: which neurons, and what of them.
    """

    arithmetic: Arithmetic
    cause: str


def why_not(wanted: Arithmetic | None, found: Arithmetic | None, refused: Iterable[Refused]) -> str:
    """Why a network is measured in other integers than are wanted; empty where it is in these."""
    if found == wanted:
        return ""
    causes = (one.cause for one in refused if one.arithmetic == wanted)
    return next(causes, "the run did not ask for them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The same network read after another number of time steps than it was trained for.

    Attributes:
        time_steps: after which it is read. precisions: as in `Measurement`.
    """

    time_steps: int
    precisions: tuple[Precision, ...]


Numbers: TypeAlias = tuple[int, Arithmetic | None]
"""In which a network was measured: bits of a weight, and the integers of neurons."""


def paired(measured: Sequence[Numbers], weight_bits: int, arithmetic: Arithmetic | None) -> int:
    """The place, of those measured, that goes with a machine of such weights and integers.

    That of its very integers; where it has none, or they were not measured, that of the same bits
    of a weight; else of the most below them, whose weights such a machine can hold; else of the
    fewest above them, which the machine cannot repeat.
    """
    if arithmetic is not None:
        for place, (_, own) in enumerate(measured):
            if own == arithmetic:
                return place
    plain = [place for place, (_, own) in enumerate(measured) if own is None]
    return next((place for place in plain if measured[place][0] <= weight_bits), plain[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a trial measured.

    Attributes:
        plan: the plan that was carried out. seed: of its fine-tuning.
        precisions: by descending bits; the first is the network as it is, of the plan's bits. Then
            those in integers of machines.
        parameters: parameters of the network as it is that are not zero, those of neurons included.
        kept_weights: its nonzero block weights relative to the parent's, 0 to 1.
        seconds: the time it took.
        readings: what it is after other numbers of time steps, ascending; see `after`.
        one_shot: the validation score that it has without fine-tuning; None where that was not
            asked for.
        refused: integers of machines that do not hold it; none of runs from before that was noted.
            Both are of no account: measurements are equal that differ in them alone.
    """

    plan: Plan
    seed: int
    precisions: tuple[Precision, ...]
    parameters: int
    kept_weights: float
    seconds: Seconds
    readings: tuple[Reading, ...] = ()
    one_shot: Score | None = field(default=None, compare=False)
    refused: tuple[Refused, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for precisions in (self.precisions, *(reading.precisions for reading in self.readings)):
            bits = [precision.bits for precision in precisions if precision.arithmetic is None]
            held = [p.arithmetic for p in precisions[len(bits) :]]
            ordered = bits == sorted(set(bits), reverse=True) and None not in held
            if not bits or not ordered or len(set(held)) < len(held):
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

    def at(self, weight_bits: int, arithmetic: Arithmetic | None = None) -> Precision:
        """What a machine of such weights and integers is paired with; see `paired`."""
        numbers = [(p.bits, p.arithmetic) for p in self.precisions]
        return self.precisions[paired(numbers, weight_bits, arithmetic)]

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
            "one_shot": asdict(self.one_shot) if self.one_shot else None,
            "refused": [asdict(one) for one in self.refused],
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
                "one_shot": Score(**data["one_shot"]) if data.get("one_shot") else None,
                "refused": refused_in(data),
            }
        )


def refused_in(data: Mapping[str, Any]) -> tuple[Refused, ...]:
    """What `Measurement.to_dict` wrote of integers that do not hold the network."""
    return tuple(
        Refused(arithmetic=Arithmetic(**one["arithmetic"]), cause=one["cause"])
        for one in data.get("refused", ())
    )


def _tested(precisions: Sequence[Precision], scores: Sequence[Score]) -> tuple[Precision, ...]:
    pairs = zip(precisions, scores, strict=True)
    return tuple(replace(precision, test=score) for precision, score in pairs)


def _scores(precisions: Sequence[Precision]) -> list[dict[str, object]]:
    return [
        {
            "bits": p.bits,
            **({} if p.arithmetic is None else {"arithmetic": asdict(p.arithmetic)}),
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
            arithmetic=Arithmetic(**one["arithmetic"]) if "arithmetic" in one else None,
            validation=Score(**one["validation"]),
            test=Score(**one["test"]) if one["test"] else None,
            workload=workload,
        )
        for one, workload in zip(found, islice(workloads, len(found)), strict=True)
    )
