"""Finished: what a run came to."""

from __future__ import annotations

from dataclasses import dataclass

from autoprune.report.front.answer import Answer, answer
from autoprune.report.front.branches import Removal
from autoprune.report.front.front import MachineFront
from autoprune.report.front.one_shot import OneShot
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Ended, Outcome
from autoprune.trial.key import TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a run came to.

    Attributes:
        folder: of the run. fronts: by machine. baselines: by key.
        trials: how all ended, by number.
        removals: what each branch loses and saves when it is removed.
        warnings: what makes the result doubtful, in words.
        exhausted: whether the search met nothing new any more.
        saved: trials that were not needed, because what was left promised too little.
        one_shot: what scores without fine-tuning would tell; None where none was evaluated.
        interrupted: whether trials, or test data of some, are left that the same command would go
            on with.
    """

    folder: RunFolder
    fronts: dict[str, MachineFront]
    removals: tuple[Removal, ...]
    baselines: dict[TrialKey, Outcome]
    trials: list[Ended]
    warnings: list[str]
    exhausted: bool
    saved: int
    one_shot: OneShot | None
    interrupted: bool

    @property
    def answers(self) -> list[Answer]:
        """The network to take for each machine, as `autoprune pick` takes it without limits."""
        return [answer(front) for front in self.fronts.values()]

    @property
    def outcomes(self) -> list[Outcome]:
        """All trials by number, read from the folder."""
        return self.folder.read_trials()
