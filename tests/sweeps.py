"""A sweep over made-up measurements: what tests of the scheduler and of its record run."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import optuna
import pytest

from autoprune.compress.effort import Effort
from autoprune.compress.space import load_space
from autoprune.networks.shape import NetworkShape
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Charge, Charges, Outcome
from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.samplers import distributions
from autoprune.search.scheduler import Scheduler
from autoprune.search.spec import Sampler, SearchSpec
from autoprune.search.task import Task
from autoprune.sweep.driver import run_journal
from autoprune.trial.job import Job
from autoprune.trial.measurement import Measurement

SPACE = """
title = "a space"
[branch.attention]
l1p = { low = 0.0, high = 0.8, step = 0.2 }
dsp = { values = [0.0, 0.5, 1.0] }
[branch.mlp]
l1p = { low = 0.0, high = 0.8, step = 0.2 }
dsp = { values = [0.0, 0.5, 1.0] }
[neuron]
threshold = { values = ["fixed", "layer"] }
tau = { values = ["fixed", "layer"] }
[uniform]
l1p = [0.4, 0.8]
dsp = [1.0, 0.5]
threshold = ["fixed"]
tau = ["fixed"]
"""
SMALL = """
title = "some thousand plans"
[branch.attention]
dsp = { values = [0.0, 0.5, 1.0] }
[branch.mlp]
l1p = { low = 0.0, high = 0.8, step = 0.2 }
dsp = { values = [0.0, 0.5, 1.0] }
[uniform]
l1p = [0.4]
dsp = [1.0, 0.5]
"""

QUICK = ("tpe",)
"""Samplers of which every law is tested by default: Optuna's own, whose proposals are quick."""

SLOW = ("gp", "nsga3", "qmc")
"""A Gaussian process takes a second per proposal; the others are of a kind with those that stay."""

SAMPLERS = [
    pytest.param(s, marks=() if s in QUICK else pytest.mark.slow if s in SLOW else pytest.mark.full)
    for s in get_args(Sampler)
]


OTHERS = [name for name in get_args(Sampler) if name not in ("tpe", *SLOW)]
"""Those of which a law that is the same for all is tested at length."""


class Sweep:
    """A scheduler over made-up measurements, run in any order of finishing; its own goals."""

    metrics, score = ("accuracy", "effective_sops"), "accuracy"

    def __init__(
        self,
        folder: Path,
        shape: NetworkShape,
        measured: Callable[..., Measurement],
        **settings: Any,
    ) -> None:
        self.folder, self.shape, self.measured = RunFolder(folder), shape, measured
        self.text = settings.get("space", SPACE)
        self.trials = settings.get("trials", 22)
        self.sampler = settings.get("sampler", "tpe")
        self.lag = settings.get("lag", 3)
        self.result = settings.get("result", self.measure)
        self.excess = settings.get("excess", lambda measurement: ())
        self.own_work = settings.get("own_work", lambda charges, parent: ())
        self.known_excess = settings.get("known_excess", lambda plan: ())
        self.stop_below = settings.get("stop_below")
        self.ran: list[str] = []
        self.early: list[str] = []
        folder.mkdir(exist_ok=True)

    def measure(self, job: Job) -> Measurement:
        """Accuracy falls with what is removed; a pure function of plan and seed."""
        kept = job.plan.kept_weights(self.shape) / self.shape.block_weights
        noise = random.Random(job.seed).randint(0, 3)
        return self.measured(
            job.plan, seed=job.seed, zeros=0.9 * (1 - kept), correct=round(40 + 50 * kept) + noise
        )

    def objectives(self, m: Measurement) -> list[float]:
        return [m.validation.accuracy, float(m.workload.total("effective_sops"))]

    def charges(self, m: Measurement) -> Charges:
        return (("chip", Charge(energy_uj=float(m.workload.total("effective_sops")))),)

    def scheduler(self) -> Scheduler:
        file = self.folder.path / "space.toml"
        file.write_text(self.text)
        space = load_space(str(file))
        task = Task(
            space=space,
            shape=self.shape,
            effort=Effort(time_steps=3, learning_rate=1e-3, epochs=1),
            seed=7,
            search=SearchSpec(sampler=self.sampler, lag=self.lag, stop_below=self.stop_below),
            trials=self.trials,
            goals=self,
        )
        self.space = distributions(space.parameters(self.shape))
        optuna_study = run_journal(self.folder, self.study)
        return Scheduler(task, optuna_study, self.folder, lambda outcome, standing: None)

    def study(self, place: StudyPlace) -> OptunaStudy:
        names = ["accuracy", "effective_sops"]
        plans = {head.key.number: head.plan.hash for head in self.folder.read_heads()}
        return OptunaStudy(place, ["maximize", "minimize"], names, self.space, self.lag, plans)

    def run(self, workers: int = 1, seed: int = 0, stop_after: int | None = None) -> Scheduler:
        """Run with that many jobs at a time, finishing in random order, perhaps not to the end."""
        scheduler, order = self.scheduler(), random.Random(seed)
        running: list[Job] = []
        while stop_after is None or len(self.ran) < stop_after:
            while len(running) < workers and (job := scheduler.next()) is not None:
                running.append(job)
            if not running:
                break
            job = running.pop(order.randrange(len(running)))
            self.ran.append(str(job.key))
            self.early += [str(job.key)] * job.one_shot
            scheduler.finish(job.key, self.result(job))
        return scheduler


def trials(sweep: Sweep) -> list[Outcome]:
    return sweep.folder.read_trials()


def optuna_trials(sweep: Sweep) -> list[optuna.trial.FrozenTrial]:
    """What any Optuna tool reads out of the journal."""
    backend = optuna.storages.journal.JournalFileBackend(str(sweep.folder.journal))
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name="autoprune", storage=storage).trials


def by_name(trial: optuna.trial.FrozenTrial) -> dict[str, float]:
    """Its constraints; Optuna numbers those that are there for its dashboard."""
    return {name: by for name, by in trial.constraints.items() if not name.isdecimal()}
