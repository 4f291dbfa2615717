"""JobMaker: the jobs that trials of an Optuna study stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from optuna.trial import FrozenTrial

from autoprune.compress.configuration import make_plan
from autoprune.compress.domain import Domain
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.compress.setting import Value
from autoprune.runs.folder import RunFolder
from autoprune.runs.weights import weights_place
from autoprune.search.samplers import derive_seed, to_configuration
from autoprune.search.task import Task
from autoprune.trial.job import Job
from autoprune.trial.key import TrialKey


@final
class JobMaker:
    """Makes jobs of plans and of trials.

    Args:
        task: what is searched. folder: of the run. domains: of the space's parameters.
    """

    def __init__(self, task: Task, folder: RunFolder, domains: Mapping[Parameter, Domain]) -> None:
        self._task, self._folder, self._domains = task, folder, domains
        self._measured = task.warm.measured if task.warm else {}

    def job(self, key: TrialKey, plan: Plan) -> Job:
        """The job of a plan; its seed is that of the measurement where another run has one."""
        measured = self._measured.get(plan.hash)
        return Job(
            key=key,
            plan=plan,
            seed=measured.seed if measured else derive_seed(self._task.seed, str(key)),
            weights=weights_place(self._folder, key),
            test=key.is_baseline,  # what everything is compared with
        )

    def read(self, frozen: FrozenTrial) -> tuple[Job, dict[Parameter, Value]]:
        """The job and the configuration that a trial stands for."""
        given = to_configuration(frozen.params, self._domains)
        plan = make_plan(given, self._task.shape, self._task.effort)
        return self.job(TrialKey(frozen.number), plan), given

    def describe(self, frozen: FrozenTrial) -> dict[str, object]:
        """What Optuna notes about a proposal, for whoever reads its study."""
        job, _ = self.read(frozen)
        return {"plan": job.plan.short(self._task.shape), "hash": job.plan.hash, "seed": job.seed}
