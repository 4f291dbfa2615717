"""Conductor: decides what runs next and records what came of it, the same for every runner.

Proposal i is made of the outcomes of trials 0 to i - lag, and no other; outcomes are told in the
order of their numbers. Hence the sequence of trials depends on the study and its seed, not on how
many workers there are, which is fastest, or where a run was interrupted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import final

from optuna.trial import FrozenTrial

from autoprune.errors import AutopruneError, RecordError
from autoprune.measurement import Measurement
from autoprune.outcome import FINE_TUNED, PARENT, Ended, Origin, Outcome, State
from autoprune.plan import Plan
from autoprune.point import Value, make_plan
from autoprune.run_folder import RunFolder
from autoprune.search.baselines import baseline_plans, first_points
from autoprune.search.block_response import GAIN, Prior
from autoprune.search.job import Failure, Job, Result
from autoprune.search.network_prior import network_prior
from autoprune.search.record import Record
from autoprune.search.samplers import Samplers, derive_seed, to_params, to_point
from autoprune.search.task import Excess, Task
from autoprune.spec.study import Sampler

DUPLICATES_IN_A_ROW = 50
"""So many proposals in a row that were seen before say that the space is exhausted."""

STUCK = 10
"""After so many the proposals are random ones: a sampler may insist, on a failed plan above all."""

UNPROMISING_IN_A_ROW = 10
"""So many proposals in a row that promise too little end the search, where a study asks for it."""

UNTRAINED_IN_A_ROW = 500
"""So many proposals in a row that were seen, or known to break a budget, end the search."""


@dataclass(slots=True, kw_only=True)
class _Trial:
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


@final
class Conductor:
    """Hands out jobs with `next`, takes their results with `finish`; the one writer of a run.

    Args:
        task: what to search. record: the Optuna study. folder: where outcomes are written.
        observe: told every new outcome once it is on disk.
        known: how the trials in the folder ended, by key; read from there where it is not given.

    Attributes:
        done: settled trials that count against the study's number of trials.
        exhausted: whether the search ended because it met nothing but duplicates.
        saved: trials that were not needed, because what was left promised too little.
    """

    def __init__(
        self,
        task: Task,
        record: Record,
        folder: RunFolder,
        observe: Callable[[Outcome], None],
        known: Mapping[str, Ended] | None = None,
    ) -> None:
        self._task, self._record, self._folder, self._observe = task, record, folder, observe
        self._known = dict(known or {})
        self._domains = task.space.parameters(task.shape)
        self._measured = task.warm.measured if task.warm else {}
        self._fixed = self._first()
        self._ready: deque[Job] = deque()
        self._running: dict[str, Job] = {}
        self._trials: list[_Trial] = []
        self._first_with: dict[str, str] = {}
        self._told, self._counting, self.done = 0, 0, 0
        self.exhausted, self.saved = False, 0
        found = folder.read_baselines()
        plans = baseline_plans(task.shape, task.effort)
        self._baselines: dict[str, Outcome | None] = {key: found.get(key) for key in plans}
        for key in plans.keys() - found.keys():
            if plans[key].hash in self._measured:
                self._settle_baseline(self._job(key, plans[key]), self._measured[plans[key].hash])
        missing = [key for key, outcome in self._baselines.items() if outcome is None]
        self._ready.extend(self._job(key, plans[key]) for key in missing)
        if not self._ready:
            self._begin()

    @property
    def finished(self) -> bool:
        """Whether nothing is left to hand out or to wait for."""
        return not self._ready and not self._running

    @property
    def baselines(self) -> dict[str, Outcome]:
        """The outcomes of the baselines so far, by key, the parent first."""
        return {key: outcome for key, outcome in self._baselines.items() if outcome is not None}

    @property
    def expected_baselines(self) -> int:
        """How many baselines there will be."""
        return len(self._baselines)

    @property
    def running(self) -> int:
        """Jobs that were handed out and have no result yet."""
        return len(self._running)

    @property
    def trials(self) -> list[Ended]:
        """How the settled trials ended, by number."""
        return [trial.ended for trial in self._trials if trial.ended is not None]

    def next(self) -> Job | None:
        """The next job to run; None where there is none now."""
        if not self._ready:
            return None
        job = self._ready.popleft()
        self._running[job.key] = job
        return job

    def finish(self, key: str, result: Result) -> None:
        """Take the result of a job; results may come in any order."""
        job = self._running.pop(key)
        if key.isdecimal():
            self._settle(self._trials[int(key)], result)
            self._advance()
            return
        if key in (PARENT, FINE_TUNED) and isinstance(result, Failure):
            raise RecordError(f"the {key} network could not be measured: {result.cause}")
        self._settle_baseline(job, result)
        if self.finished:
            self._begin()

    def _settle_baseline(self, job: Job, result: Result) -> None:
        baseline = _Trial(key=job.key, origin="baseline", open=(job, {}), same_as=None)
        self._baselines[job.key] = self._settle(baseline, result)

    def _first(self) -> list[tuple[Origin, dict[str, Value]]]:
        """What comes before the sampler's proposals, another run's trials at last."""
        task = self._task
        first = first_points(task.space, task.shape, task.effort)
        known = {make_plan(point, task.shape, task.effort).hash for _, point in first}
        if task.warm is not None and task.warm.kind == "measured":
            new = [outcome for outcome in task.warm.trials if outcome.plan.hash not in known]
            first += [("warm", dict(outcome.point)) for outcome in new]
        return first

    def _begin(self) -> None:
        """All baselines are there: take up what an earlier run left, then propose."""
        self._samplers = Samplers(self._task.seed, self._prior())
        for frozen in self._record.trials:
            key, told = str(frozen.number), frozen.state.is_finished()
            if not self._folder.file(key).is_file():
                trial = self._adopt(frozen)
                if trial.counts or trial.taken:
                    self._start(trial)
            elif told:
                # What Optuna knows already needs no reading of all that was measured.
                ended = self._known.pop(key, None) or self._folder.read(key).ended
                self._end(self._adopt(frozen, settled=True), ended)
            else:
                trial = self._adopt(frozen)
                trial.outcome = self._folder.read(key)
                self._end(trial, trial.outcome.ended)
            self._told += told
        for trial in self._trials[: self._told]:
            if trial.ended is None and not trial.counts:
                self._repeat(trial)
        self._advance()

    def _prior(self) -> Prior:
        """What a sampler may know: which parameter does what, and what the parent is worth."""
        tuned = self.baselines[FINE_TUNED].measurement
        assert tuned is not None  # else the run would have ended with an error

        def plan(params: Mapping[str, Value]) -> str:
            point = to_point(params, self._domains)
            return make_plan(point, self._task.shape, self._task.effort).hash

        metrics, score = self._task.metrics, self._task.score
        values = [] if self._unusable(tuned) else self._task.objectives(tuned)
        prior = network_prior(self._domains, metrics, score, values, plan)
        return replace(prior, earlier=list(self._earlier()))

    def _earlier(self) -> Iterator[tuple[dict[str, Value], list[float]]]:
        """Parameters and objectives of another run's trials, where those are of other networks."""
        warm = self._task.warm
        for outcome in warm.trials if warm is not None and warm.kind == "data" else ():
            if outcome.measurement is not None and not self._unusable(outcome.measurement):
                values = self._task.objectives(outcome.measurement)
                yield to_params(dict(outcome.point), self._domains), values

    def _advance(self) -> None:
        """Propose as far as the lag allows and tell what is next in line, until nothing moves."""
        self._propose()
        while self._told < len(self._trials):
            trial = self._trials[self._told]
            if trial.ended is None:
                if trial.counts:
                    return
                self._repeat(trial)
            self._tell(self._told, trial)
            trial.outcome = None
            self._told += 1
            self._propose()

    def _propose(self) -> None:
        while len(self._trials) - self._told < self._task.lag and self._wanted():
            number = len(self._trials)
            fixed = self._fixed[number][1] if number < len(self._fixed) else None
            params = None if fixed is None else to_params(fixed, self._domains)
            name: Sampler = "random" if self._only_duplicates(STUCK) else self._task.sampler
            sampler = self._samplers.of(name, number)
            trial = self._adopt(self._record.ask(sampler, params, self._describe))
            if trial.counts or trial.taken:
                self._start(trial)

    def _start(self, trial: _Trial) -> None:
        """Have a trial trained, unless it was measured before or is known to break a budget."""
        if trial.taken:
            self._settle(trial, self._measured[trial.job.plan.hash])
        elif any(excess > 0 for _, excess in self._task.known_excess(trial.job.plan)):
            self._settle(trial, None)
        else:
            self._ready.append(trial.job)

    def _wanted(self) -> bool:
        """Whether the study asks for one more proposal."""
        number = len(self._trials)
        if number < len(self._fixed) and self._fixed[number][0] in ("baseline", "warm"):
            return True
        untrained = self._trials[-UNTRAINED_IN_A_ROW:]
        self.exhausted = self._only_duplicates(DUPLICATES_IN_A_ROW) or (
            len(untrained) == UNTRAINED_IN_A_ROW
            and not any(trial.counts or trial.taken for trial in untrained)
        )
        left = max(0, self._task.trials - self._counting)
        self.saved = left if self._promises_little() else 0
        return not self.exhausted and left > self.saved

    def _promises_little(self) -> bool:
        """Whether the last proposals were all expected to gain less than the study asks for."""
        threshold, recent = self._task.stop_below, self._trials[-UNPROMISING_IN_A_ROW:]
        if threshold is None or len(recent) < UNPROMISING_IN_A_ROW:
            return False
        return all(trial.gain < threshold for trial in recent)

    def _only_duplicates(self, last: int) -> bool:
        """Whether the last so many proposals were all seen before."""
        recent = self._trials[-last:]
        return len(recent) == last and all(trial.same_as is not None for trial in recent)

    def _describe(self, frozen: FrozenTrial) -> dict[str, object]:
        """What Optuna notes about a proposal, for whoever reads its study."""
        _, job = self._read(frozen)
        return {"plan": job.plan.short(self._task.shape), "hash": job.plan.hash, "seed": job.seed}

    def _read(self, frozen: FrozenTrial) -> tuple[dict[str, Value], Job]:
        """The point and the job that a trial of the record stands for."""
        point = to_point(frozen.params, self._domains)
        plan = make_plan(point, self._task.shape, self._task.effort)
        return point, self._job(str(frozen.number), plan)

    def _job(self, key: str, plan: Plan) -> Job:
        measured = self._measured.get(plan.hash)
        return Job(
            key=key,
            plan=plan,
            seed=measured.seed if measured else derive_seed(self._task.seed, key),
            weights=self._folder.weights_place(key),
        )

    def _adopt(self, frozen: FrozenTrial, *, settled: bool = False) -> _Trial:
        """Take a trial of the record into the list, and find out whether its plan was seen."""
        number, key = frozen.number, str(frozen.number)
        work, plan = None, str(frozen.user_attrs["hash"])
        if not settled:
            point, job = self._read(frozen)
            work, plan = (job, point), job.plan.hash
        origin: Origin = self._fixed[number][0] if number < len(self._fixed) else "sampled"
        same_as = self._first_with.get(plan)
        trial = _Trial(
            key=key,
            origin=origin,
            open=work,
            same_as=same_as,
            gain=frozen.system_attrs.get(GAIN, math.inf),
            taken=origin != "baseline" and same_as is None and plan in self._measured,
        )
        self._first_with.setdefault(plan, key)
        self._trials.append(trial)
        self._counting += trial.counts
        return trial

    def _end(self, trial: _Trial, ended: Ended) -> None:
        """Note how a trial ended; from now on it is small."""
        before, trial.ended, trial.open = trial.counts, ended, None
        if trial.key.isdecimal():
            self._counting += trial.counts - before  # one that is refused counts no longer
            self.done += trial.counts

    def _settle(self, trial: _Trial, result: Result | None, same_as: str | None = None) -> Outcome:
        """Make an outcome of a result and put it on disk, before Optuna hears of it.

        Without a result it is the plan that breaks a budget.
        """
        measurement = result if isinstance(result, Measurement) else None
        cause = result.cause if isinstance(result, Failure) else self._unusable(measurement)
        excess: Excess = ()
        if measurement is not None and not cause:
            excess = self._task.excess(measurement)
        elif result is None:
            excess = self._task.known_excess(trial.job.plan)
        broken = tuple((budget, by) for budget, by in excess if by > 0)
        peak = result.peak_gib if isinstance(result, Failure) and result.kind == "memory" else None
        infeasible = broken or peak is not None
        ended: State = "infeasible" if infeasible else "failed" if cause else "measured"
        outcome = Outcome(
            key=trial.job.key,
            origin=trial.origin,
            point=tuple(trial.point.items()),
            plan=trial.job.plan,
            seed=trial.job.seed,
            state="duplicate" if trial.same_as else ended,
            measurement=measurement,
            same_as=same_as,
            cause=cause,
            charges=() if measurement is None else self._task.charges(measurement),
            broken=broken,
            peak_gib=peak,
        )
        self._folder.write(outcome)
        trial.outcome = outcome
        self._end(trial, outcome.ended)
        self._observe(outcome)
        return outcome

    def _repeat(self, trial: _Trial) -> None:
        """Settle a trial whose plan was met before: as an earlier trial, or as a baseline."""
        if trial.same_as is not None:
            earlier = self._trials[int(trial.same_as)].outcome or self._folder.read(trial.same_as)
        else:
            fine_tuned = (b for key, b in self.baselines.items() if key != PARENT)
            earlier = next(b for b in fine_tuned if b.plan == trial.job.plan)
        failed = Failure(cause=earlier.cause) if earlier.cause else None
        self._settle(trial, earlier.measurement or failed, same_as=earlier.key)

    def _unusable(self, measurement: Measurement | None) -> str:
        """Why Optuna cannot be told of a measurement; empty where it can, or there is none."""
        if measurement is None:
            return ""
        try:
            values = [v for _, v in self._task.excess(measurement)]
            values += self._task.objectives(measurement)
        except AutopruneError as error:
            return str(error)
        bad = [value for value in values if not math.isfinite(value)]
        return f"an objective is {bad[0]}" if bad else ""

    def _tell(self, number: int, trial: _Trial) -> None:
        outcome = trial.outcome
        assert outcome is not None
        note: dict[str, object] = {"state": outcome.state, "origin": outcome.origin}
        if outcome.cause:
            note["cause"] = outcome.cause[-1000:]
        if outcome.same_as is not None:
            note["same_as"] = outcome.same_as
        measurement, values, excess = outcome.measurement, None, outcome.broken
        if measurement is not None and not outcome.cause:
            values, excess = self._task.objectives(measurement), self._task.excess(measurement)
        self._record.tell(number, values, note, dict(excess))
