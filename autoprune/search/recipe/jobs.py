"""RecipeJobs: the trainings by which learning rates are chosen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

from autoprune.compress.configuration import make_plan
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.runs.recipe import Attempt, Choice, ChosenRates
from autoprune.search.recipe.grid import next_rate
from autoprune.search.recipe.plans import Configuration
from autoprune.search.recipe.task import RecipeTask, Stage
from autoprune.search.samplers import derive_seed
from autoprune.trial.job import Failure, Job, Result, in_one_line
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score


@final
class RecipeJobs:
    """Hands out the trainings that choose learning rates, and takes their results.

    What lies in the folder is not trained again. Which trainings there are, and what is chosen,
    depends on the results alone, not on the order in which they come.

    Args:
        task: what is chosen for. folder: where outcomes are written.
        watch: told how many of how many trainings are done; more may follow.

    Attributes:
        chosen: None until everything is.

    Raises RecordError, as `finish` does, where the folder has a training of another plan, and
    where all trainings of a rate's choice failed.
    """

    def __init__(
        self, task: RecipeTask, folder: RunFolder, watch: Callable[[int, int], None]
    ) -> None:
        self._task, self._folder, self._watch = task, folder, watch
        self._outcomes: dict[TrialKey, Outcome] = {}
        self._waiting: deque[Job] = deque()
        self._of: dict[TrialKey, tuple[Job, Configuration]] = {}
        self._choices: list[Choice] = []
        self.chosen: ChosenRates | None = None
        self._stages = deque(task.stages)
        self._tried: dict[float, list[Job]] = {}
        for rate in self._stages[0].first:
            self._try(rate)
        self._advance()

    @property
    def finished(self) -> bool:
        """Whether everything is chosen."""
        return self.chosen is not None

    def next(self) -> Job | None:
        """The next training; None where there is none now."""
        return self._waiting.popleft() if self._waiting else None

    def finish(self, key: TrialKey, result: Result) -> None:
        """Take the result of a training; they may come in any order."""
        job, configuration = self._of[key]
        measured = not isinstance(result, Failure)
        outcome = Outcome(
            key=key,
            origin="recipe",
            configuration=tuple(configuration.items()),
            plan=job.plan,
            seed=job.seed,
            state="measured" if measured else "failed",
            measurement=None if isinstance(result, Failure) else result,
            cause=result.cause if isinstance(result, Failure) else "",
        )
        self._folder.write(outcome)
        self._outcomes[key] = outcome
        self._advance()

    def _try(self, rate: float) -> None:
        """Have all plans of the present stage trained at a rate, as far as they were not."""
        stage, task = self._stages[0], self._task
        own = stage.of == "learning_rate"
        effort = replace(task.effort, learning_rate=rate if own else self._weights_rate)
        for place, configuration in enumerate(stage.configurations):
            key = TrialKey.recipe(len(self._of) + 1)
            job = Job(
                key=key,
                plan=make_plan(configuration, task.shape, effort),
                seed=derive_seed(task.seed, f"recipe {place}"),
                weights=None,
                neuron_learning_rate=None if own else rate,
            )
            self._of[key] = job, configuration
            self._tried.setdefault(rate, []).append(job)
            if self._folder.file(key).is_file():
                self._outcomes[key] = self._taken_up(job)
            else:
                self._waiting.append(job)

    @property
    def _weights_rate(self) -> float:
        """The rate of the weights while that of neurons is chosen: the study's, if it has one."""
        return self._task.given.get("learning_rate", self._choices[0].best.rate)

    def _taken_up(self, job: Job) -> Outcome:
        outcome = self._folder.read(job.key)
        if (outcome.plan, outcome.seed) != (job.plan, job.seed):
            where = self._folder.file(job.key)
            raise RecordError(f"{where}: of another plan than {job.key.words} is now")
        return outcome

    def _advance(self) -> None:
        """Once all trainings of a rate's choice are there: try one more, or go on to the next."""
        self._watch(len(self._outcomes), len(self._of))
        while self._stages and len(self._outcomes) == len(self._of):
            stage = self._stages[0]
            choice = self._choice(stage)
            beyond = next_rate(choice, stage.first)
            if beyond is not None:
                self._try(beyond)
                continue
            self._choices.append(choice)
            self._stages.popleft()
            self._tried = {}
            for rate in self._stages[0].first if self._stages else ():
                self._try(rate)
        if not self._stages:
            took = sum(outcome.ended.seconds for outcome in self._outcomes.values())
            self.chosen = ChosenRates(
                choices=tuple(self._choices), trainings=len(self._of), seconds=took
            )

    def _choice(self, stage: Stage) -> Choice:
        found = {rate: [self._outcomes[j.key] for j in jobs] for rate, jobs in self._tried.items()}
        measured = [o.measurement for one in found.values() for o in one if o.measurement]
        if not measured:
            why = in_one_line(next(iter(found.values()))[0].cause)
            raise RecordError(f"no training succeeded to choose {stage.of} by: {why}")
        samples = measured[0].validation
        jobs = next(iter(self._tried.values()))
        return Choice(
            of=stage.of,
            given=self._task.given.get(stage.of),
            plans=tuple(job.plan.short(self._task.shape) for job in jobs),
            attempts=tuple(
                _attempt(rate, found[rate], samples) for rate in sorted(found, reverse=True)
            ),
        )


def _attempt(rate: float, outcomes: Sequence[Outcome], samples: Score) -> Attempt:
    scores = [o.measurement.validation if o.measurement else None for o in outcomes]
    return Attempt(
        rate=rate,
        scores=tuple(None if score is None else score.accuracy for score in scores),
        score=replace(
            samples,
            correct=sum(score.correct for score in scores if score is not None),
            total=samples.total * len(scores),
        ),
    )
