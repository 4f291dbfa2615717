"""Job and Failure: what a runner is handed, and what it hands back when there is no Measurement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from autoprune.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One plan to be carried out.

    Attributes:
        key: of its outcome; see `autoprune.outcome.Outcome`.
        plan: what to do. seed: of its training.
        weights: file for the weights of the compressed network; whoever runs the study removes
            those that are not kept.
    """

    key: str
    plan: Plan
    seed: int
    weights: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A job that ended without a measurement, and the cause in words."""

    cause: str
