"""Stopping: when what was proposed says that the search is to end, or to propose at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autoprune.search.proposals import Proposed

DUPLICATES_IN_A_ROW = 50
"""So many proposals in a row that were seen before say that the space is exhausted."""

STUCK = 10
"""After so many the proposals are random ones: a sampler may insist, on a failed plan above all."""

UNPROMISING_IN_A_ROW = 10
"""So many proposals in a row that promise too little end the search, where a study asks for it."""

UNTRAINED_IN_A_ROW = 500
"""So many proposals in a row that were seen, or known to break a budget, end the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a search is to go on.

    Attributes:
        more: whether one more trial is to be proposed.
        exhausted: whether not, because it meets nothing but duplicates.
        saved: trials that are not needed, because what is left promises too little.
    """

    more: bool
    exhausted: bool
    saved: int


def judge(proposed: Sequence[Proposed], left: int, threshold: float | None) -> Verdict:
    """The verdict on a search with `left` trials to go; `threshold` as in `promises_little`."""
    over = exhausted(proposed)
    saved = left if promises_little(proposed, threshold) else 0
    return Verdict(more=not over and left > saved, exhausted=over, saved=saved)


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


def promises_little(proposed: Sequence[Proposed], stop_below: float | None) -> bool:
    """Whether the last proposals were all expected to gain less than that; never of None."""
    recent = proposed[-UNPROMISING_IN_A_ROW:]
    if stop_below is None or len(recent) < UNPROMISING_IN_A_ROW:
        return False
    return all(one.gain < stop_below for one in recent)
