"""Measurement: everything that one trial found out about one compressed network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from autoprune.errors import InputError
from autoprune.plan import Plan
from autoprune.workload import Workload

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
class Measurement:
    """What a trial measured.

    Attributes:
        plan: the plan that was carried out. seed: of its fine-tuning.
        validation: what search sees. test: printed beside, decides nothing.
        accuracy_bits: bits of the weights with which the scores were measured.
        parameters: parameters that are left and not zero, neuron parameters included.
        kept_weights: nonzero block weights relative to the parent's, 0 to 1.
        seconds: the time it took.
        workload: its operations.
    """

    plan: Plan
    seed: int
    validation: Score
    test: Score
    accuracy_bits: int
    parameters: int
    kept_weights: float
    seconds: Seconds
    workload: Workload

    def to_dict(self) -> dict[str, Any]:
        """Plain containers without the workload, which is stored beside."""
        return {
            "plan": self.plan.to_dict(),
            "seed": self.seed,
            "validation": asdict(self.validation),
            "test": asdict(self.test),
            "accuracy_bits": self.accuracy_bits,
            "parameters": self.parameters,
            "kept_weights": self.kept_weights,
            "seconds": asdict(self.seconds),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], workload: Workload) -> Measurement:
        """The measurement that `to_dict` wrote, with its workload."""
        return cls(
            **{
                **data,
                "plan": Plan.from_dict(data["plan"]),
                "validation": Score(**data["validation"]),
                "test": Score(**data["test"]),
                "seconds": Seconds(**data["seconds"]),
                "workload": workload,
            }
        )
