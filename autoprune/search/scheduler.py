"""Scheduler: decides what runs next and records what came of it, the same for every runner.

Proposal i is made of the outcomes of trials 0 to i - lag, and no other; outcomes are told in the
order of their numbers. Hence the sequence of trials depends on the study and its seed, not on how
many workers there are, which is fastest, or where a run was interrupted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import final

from autoprune.compress.setting import Value
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Ended, Outcome
from autoprune.search.baselines import baseline_plans, fixed_configurations
from autoprune.search.jobs import JobMaker
from autoprune.search.optuna_study import OptunaStudy
from autoprune.search.prior import task_prior
from autoprune.search.proposals import Proposed
from autoprune.search.samplers import Samplers, to_configuration, to_params
from autoprune.search.spec import Sampler
from autoprune.search.standing import Observe, Standing
from autoprune.search.stopping import Verdict, judge, stuck
from autoprune.search.task import Task
from autoprune.search.telling import as_outcome, as_told
from autoprune.search.trials import Trials
from autoprune.trial.job import Failure, Job, Result, in_one_line
from autoprune.trial.key import FINE_TUNED, PARENT, TrialKey


@final
class Scheduler:
    """Hands out jobs with `next`, takes their results with `finish`; the one writer of a run.

    Args:
        task: what to search. optuna_study: what asks the sampler and is told the outcomes.
        folder: where outcomes are written. observe: see there.
        known: how the trials in the folder ended, by key; read from there where it is not given.
    """

    def __init__(
        self,
        task: Task,
        optuna_study: OptunaStudy,
        folder: RunFolder,
        observe: Observe,
        known: Mapping[TrialKey, Ended] | None = None,
    ) -> None:
        self._task, self._optuna, self._folder, self._observe = task, optuna_study, folder, observe
        self._known = dict(known or {})
        self._domains = task.space.parameters(task.shape)
        self._measured = task.warm.measured if task.warm else {}
        self._fixed = fixed_configurations(task)
        self._jobs = JobMaker(task, folder, self._domains)
        self._ready: deque[Job] = deque()
        self._running: dict[TrialKey, Job] = {}
        self._trials = Trials([origin for origin, _ in self._fixed], self._measured, self._jobs)
        self._told = 0
        self._verdict = Verdict(more=True, exhausted=False, saved=0)
        self._taken_up = False
        found = folder.read_baselines()
        plans = baseline_plans(task.shape, task.effort)
        self._baselines: dict[TrialKey, Outcome | None] = {key: found.get(key) for key in plans}
        for key in plans.keys() - found.keys():
            if plans[key].hash in self._measured:
                self._settle_baseline(
                    self._jobs.job(key, plans[key]), self._measured[plans[key].hash]
                )
        missing = [key for key, outcome in self._baselines.items() if outcome is None]
        self._ready.extend(self._jobs.job(key, plans[key]) for key in missing)
        if not self._ready:
            self._begin()
        self._taken_up = True

    @property
    def finished(self) -> bool:
        """Whether nothing is left to hand out or to wait for."""
        return not self._ready and not self._running

    @property
    def baselines(self) -> dict[TrialKey, Outcome]:
        """The outcomes of the baselines so far, by key, the parent first."""
        return {key: outcome for key, outcome in self._baselines.items() if outcome is not None}

    @property
    def standing(self) -> Standing:
        """How far the search is now."""
        return Standing(
            baselines=self.baselines,
            expected_baselines=len(self._baselines),
            done=self._trials.done,
            running=len(self._running),
            exhausted=self._verdict.exhausted,
            saved=self._verdict.saved,
            finished=self.finished,
        )

    @property
    def trials(self) -> list[Ended]:
        """How the settled trials ended, by number."""
        return [trial.ended for trial in self._trials.all if trial.ended is not None]

    def next(self) -> Job | None:
        """The next job to run; None where there is none now."""
        if not self._ready:
            return None
        job = self._ready.popleft()
        self._running[job.key] = job
        return job

    def finish(self, key: TrialKey, result: Result) -> None:
        """Take the result of a job; results may come in any order."""
        job = self._running.pop(key)
        if key.is_trial:
            self._settle(self._trials.all[key.number], result)
            self._advance()
            return
        if key in (PARENT, FINE_TUNED) and isinstance(result, Failure):
            why = in_one_line(result.cause)
            raise RecordError(f"the {key} network could not be measured: {why}")
        self._settle_baseline(job, result)
        if self.finished:
            self._begin()

    def _settle_baseline(self, job: Job, result: Result) -> None:
        baseline = Proposed(key=job.key, origin="baseline", open=(job, {}), same_as=None)
        self._baselines[job.key] = self._settle(baseline, result)

    def _begin(self) -> None:
        """All baselines are there: take up what an earlier run left, then propose."""
        tuned = self.baselines[FINE_TUNED].measurement
        assert tuned is not None  # else the run would have ended with an error
        self._samplers = Samplers(self._task.seed, task_prior(self._task, self._domains, tuned))
        for frozen in self._optuna.trials:
            key, told = TrialKey(frozen.number), frozen.state.is_finished()
            if not self._folder.file(key).is_file():
                self._start(self._trials.add(frozen))
            elif told:
                # What Optuna knows already needs no reading of all that was measured.
                ended = self._known.pop(key, None) or self._folder.read(key).ended
                self._trials.end(self._trials.add(frozen, settled=True), ended)
            else:
                self._take_up(self._trials.add(frozen))
            self._told += told
        for trial in self._trials.all[: self._told]:
            if trial.ended is None and not trial.counts:
                self._repeat(trial)
        self._advance()

    def _advance(self) -> None:
        """Propose as far as the lag allows and tell what is next in line, until nothing moves."""
        self._propose()
        while self._told < len(self._trials.all):
            trial = self._trials.all[self._told]
            if trial.ended is None:
                if trial.counts:
                    return
                self._repeat(trial)
            self._tell(self._told, trial)
            trial.outcome = None
            self._told += 1
            self._propose()

    def _propose(self) -> None:
        while len(self._trials.all) - self._told < self._task.search.lag:
            if not self._is_owed(len(self._trials.all)):
                left = max(0, self._task.trials - self._trials.counting)
                self._verdict = judge(self._trials.all, left, self._task.search.stop_below)
                if not self._verdict.more:
                    return
            number = len(self._trials.all)
            fixed = self._fixed[number][1] if number < len(self._fixed) else None
            name: Sampler = "random" if stuck(self._trials.all) else self._task.search.sampler
            asked = self._optuna.ask(
                self._samplers.of(name, number),
                fixed=None if fixed is None else to_params(fixed, self._domains),
                settled=partial(self._as_measured, number),
                describe=self._jobs.describe,
            )
            self._start(self._trials.add(asked))

    def _as_measured(self, number: int, params: dict[str, Value]) -> dict[str, Value]:
        """What is proposed, unless the run folder has another trial of that number."""
        key = TrialKey(number)
        if not self._folder.file(key).is_file():
            return params
        known = dict(self._folder.read(key).configuration)
        same = to_configuration(params, self._domains) == known
        return params if same else to_params(known, self._domains)

    def _take_up(self, trial: Proposed) -> None:
        """End a trial as the run folder has it; RecordError where its plan is not what it says."""
        trial.outcome = self._folder.read(trial.key)
        if trial.outcome.plan != trial.job.plan:
            raise RecordError(
                f"{self._folder.file(trial.key)}: damaged (its plan is another than that of its "
                "configuration): remove it, and its trial runs again"
            )
        self._trials.end(trial, trial.outcome.ended)

    def _start(self, trial: Proposed) -> None:
        """Have a trial trained, unless it was measured or met before, or is to break a budget."""
        if self._folder.file(trial.key).is_file():
            self._take_up(trial)  # a record that is older than the folder: a backup, or none at all
            return
        if not trial.counts and not trial.taken:
            return  # it is settled in its turn, as the trial that it repeats
        if trial.taken:
            self._settle(trial, self._measured[trial.job.plan.hash])
        elif any(excess > 0 for _, excess in self._task.goals.known_excess(trial.job.plan)):
            self._settle(trial, None)
        else:
            self._ready.append(self._trials.job(trial))

    def _is_owed(self, number: int) -> bool:
        """Whether that trial costs no training, and so is proposed whatever is left to train."""
        return number < len(self._fixed) and self._fixed[number][0] in ("baseline", "warm")

    def _settle(
        self, trial: Proposed, result: Result | None, same_as: TrialKey | None = None
    ) -> Outcome:
        """Make an outcome of a result and put it on disk, before Optuna hears of it."""
        outcome = as_outcome(self._task, trial, result, same_as)
        self._folder.write(outcome)
        trial.outcome = outcome
        self._trials.end(trial, outcome.ended)
        self._observe(outcome, self.standing if self._taken_up else None)
        return outcome

    def _repeat(self, trial: Proposed) -> None:
        """Settle a trial whose plan was met before: as an earlier trial, or as a baseline."""
        if trial.same_as is not None:
            held = self._trials.all[trial.same_as.number].outcome
            earlier = held or self._folder.read(trial.same_as)
        else:
            fine_tuned = (b for key, b in self.baselines.items() if key != PARENT)
            earlier = next(b for b in fine_tuned if b.plan == trial.job.plan)
        failed = Failure(cause=earlier.cause) if earlier.cause else None
        self._settle(trial, earlier.measurement or failed, same_as=earlier.key)

    def _tell(self, number: int, trial: Proposed) -> None:
        assert trial.outcome is not None
        self._optuna.tell(number, *as_told(self._task, trial.outcome, self.baselines[FINE_TUNED]))
