"""Proposed: a trial as the conductor follows it; and when what was proposed says to end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autoprune.outcome import Ended, Origin, Outcome
from autoprune.point import Value
from autoprune.search.job import Job

DUPLICATES_IN_A_ROW = 50
"""So many proposals in a row that were seen before say that the space is exhausted."""

STUCK = 10
"""After so many the proposals are random ones: a sampler may insist, on a failed plan above all."""

UNPROMISING_IN_A_ROW = 10
"""So many proposals in a row that promise too little end the search, where a study asks for it."""

UNTRAINED_IN_A_ROW = 500
"""So many proposals in a row that were seen, or known to break a budget, end the search."""


@dataclass(slots=True, kw_only=True)
class Proposed:
    """A trial that was proposed; `ended` is None until it is settled.

    `gain` is what it promised, where its sampler says so; `taken` says that another run has
    measured it. What is large goes when it is no longer needed, since there may be many trials:
    `open` with its settling, and `outcome` when Optuna was told.
    """

    key: str
    origin: Origin
    same_as: str | None
    open: tuple[Job, dict[str, Value]] | None
    gain: float = math.inf
    taken: bool = False
    outcome: Outcome | None = None
    ended: Ended | None = None

    @property
    def counts(self) -> bool:
        """Whether it is trained, and so uses up one of the study's trials."""
        ended = self.ended
        refused = ended is not None and ended.state == "infeasible" and not ended.trained
        trained = self.origin != "baseline" and not self.taken and self.same_as is None
        return trained and not refused

    @property
    def job(self) -> Job:
        """What is to be done; of a trial that is not settled."""
        assert self.open is not None
        return self.open[0]

    @property
    def point(self) -> dict[str, Value]:
        """Its configuration; of a trial that is not settled."""
        assert self.open is not None
        return self.open[1]


def stuck(proposed: Sequence[Proposed], last: int = STUCK) -> bool:
    """Whether the last so many proposals were all seen before."""
    recent = proposed[-last:]
    return len(recent) == last and all(one.same_as is not None for one in recent)


def exhausted(proposed: Sequence[Proposed]) -> bool:
    """Whether the search meets nothing new that may be trained."""
    recent = proposed[-UNTRAINED_IN_A_ROW:]
    nothing_trained = not any(one.counts or one.taken for one in recent)
    return stuck(proposed, DUPLICATES_IN_A_ROW) or (
        len(recent) == UNTRAINED_IN_A_ROW and nothing_trained
    )


def promises_little(proposed: Sequence[Proposed], threshold: float | None) -> bool:
    """Whether the last proposals were all expected to gain less than that; never of None."""
    recent = proposed[-UNPROMISING_IN_A_ROW:]
    if threshold is None or len(recent) < UNPROMISING_IN_A_ROW:
        return False
    return all(one.gain < threshold for one in recent)
