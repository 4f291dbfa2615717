"""Trials of a search by number: which plan was met first in which, and how many are trained."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import final

from optuna.trial import FrozenTrial

from autoprune.runs.outcome import Ended, Origin
from autoprune.search.block_response import GAIN
from autoprune.search.jobs import JobMaker
from autoprune.search.proposals import Proposed
from autoprune.trial.job import Job
from autoprune.trial.key import TrialKey

ONE_SHOT = 15
"""So many trials are evaluated without fine-tuning as well, to say what such scores would tell."""


@final
class Trials:
    """The trials that were proposed so far, by number.

    Args:
        fixed: origins of the first ones, which no sampler proposes.
        measured: hashes of plans that another run has measured.
        jobs: makes of a trial what is to be done.

    Attributes:
        all: the trials.
        counting: how many use up one of the study's trials. done: how many of these are settled.
    """

    def __init__(self, fixed: Sequence[Origin], measured: Container[str], jobs: JobMaker) -> None:
        self._fixed, self._measured, self._jobs = fixed, measured, jobs
        self.all: list[Proposed] = []
        self._first_with: dict[str, TrialKey] = {}
        self.counting, self.done = 0, 0

    def add(self, frozen: FrozenTrial, *, settled: bool = False) -> Proposed:
        """The next trial, as Optuna has it; of one that is settled nothing large is made."""
        number, key = frozen.number, TrialKey(frozen.number)
        work, plan = None, str(frozen.user_attrs["hash"])
        if not settled:
            work = self._jobs.read(frozen)
            plan = work[0].plan.hash
        origin: Origin = self._fixed[number] if number < len(self._fixed) else "sampled"
        same_as = self._first_with.get(plan)
        trial = Proposed(
            key=key,
            origin=origin,
            open=work,
            same_as=same_as,
            gain=frozen.system_attrs.get(GAIN, math.inf),
            taken=origin != "baseline" and same_as is None and plan in self._measured,
        )
        self._first_with.setdefault(plan, key)
        self.all.append(trial)
        self.counting += trial.counts
        return trial

    def job(self, trial: Proposed) -> Job:
        """What is to be done for the trial that was added last."""
        early = self.counting <= ONE_SHOT and trial.job.plan.effort.epochs > 0
        return replace(trial.job, one_shot=early)

    def end(self, trial: Proposed, ended: Ended) -> None:
        """Note how a trial, or a baseline, ended; from now on it is small."""
        before, trial.ended, trial.open = trial.counts, ended, None
        if trial.key.is_trial:
            self.counting += trial.counts - before  # one that is refused counts no longer
            self.done += trial.counts
