"""Job and Failure: what a runner is handed, what it hands back; Jobs: where it gets them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from autoprune.compress.plan import Plan
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One plan to be carried out.

    Attributes:
        key: of its outcome.
        plan: what to do. seed: of its training.
        weights: file, or fsspec address, for the weights of the compressed network; whoever runs
            the study removes those that are not kept. None where nobody wants them.
        neuron_learning_rate: of this training alone; the study's where it is None.
        test: whether test data are evaluated, too.
        one_shot: whether it is evaluated without fine-tuning, too.
    """

    key: TrialKey
    plan: Plan
    seed: int
    weights: Path | str | None
    neuron_learning_rate: float | None = None
    test: bool = False
    one_shot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A job that ended without a measurement.

    Attributes:
        cause: in words; of an exception the end of its traceback.
        kind: ``raised`` by the trial itself; ``memory``: it took more than it may, or than there
            is; ``time``: likewise; ``died``: its process was killed or crashed; ``storage``: its
            weights could not be written, which is not its doing and ends the sweep.
        peak_gib: of ``memory``, the most that was seen; 0 where nothing was.
    """

    cause: str
    kind: Literal["raised", "memory", "time", "died", "storage"] = "raised"
    peak_gib: float = 0.0


Result = Measurement | Failure


def in_one_line(cause: str) -> str:
    """Why a job failed: of a traceback the exception alone."""
    lines = [line.strip() for line in cause.splitlines() if line.strip()]
    return lines[-1] if lines else "no cause"


class Jobs(Protocol):
    """Hands out jobs and takes their results, in any order: a search, or a list."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to hand out or to wait for."""

    def next(self) -> Job | None:
        """The next job to run; None where there is none now."""

    def finish(self, key: TrialKey, result: Result) -> None:
        """Take the result of a job."""
