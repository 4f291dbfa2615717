"""Standing: how far a search is, at one moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from autoprune.runs.outcome import Outcome
from autoprune.trial.key import TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a search is, at one moment.

    Attributes:
        baselines: measured ones by key, the parent first, of `expected_baselines`.
        done: settled trials that count against the study's number of trials.
        running: jobs that were handed out and have no result yet.
        exhausted: whether the search ended because it met nothing but duplicates.
        saved: trials that were not needed, because what was left promised too little.
        finished: whether nothing is left to hand out or to wait for.
    """

    baselines: dict[TrialKey, Outcome]
    expected_baselines: int
    done: int
    running: int
    exhausted: bool
    saved: int
    finished: bool


NOTHING_YET = Standing(
    baselines={},
    expected_baselines=1,
    done=0,
    running=0,
    exhausted=False,
    saved=0,
    finished=False,
)
"""Before the first baseline: there is at least one."""

Observe: TypeAlias = Callable[[Outcome, Standing | None], None]
"""Told every new outcome once it is on disk; None while an earlier run is taken up."""
