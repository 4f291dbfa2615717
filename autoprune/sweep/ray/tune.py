"""Run the jobs with Ray Tune: a searcher that hands them out, a trainable that carries them out.

What is recorded is the business of whoever hands out the jobs. Tune's own record is thrown away:
its snapshots lag behind by seconds, so that restoring from them loses or repeats finished trials.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections import Counter, deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, final

# Read by Ray when it is imported: no experiment box, no logger per trial, no change of folder.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # Ctrl-C: `autoprune.sweep.stop`

from ray import tune
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search import Searcher

from autoprune.errors import AutopruneError
from autoprune.sweep.ray.cluster import connected
from autoprune.sweep.ray.node import Needs
from autoprune.sweep.ray.overseer import Overseer
from autoprune.sweep.watchdog import ANYTHING, Watchdog
from autoprune.sweep.worker import Worker
from autoprune.sweep.workers import Workers
from autoprune.trial.job import Failure, Job, Jobs
from autoprune.trial.key import TrialKey
from autoprune.trial.setup import Setup

# A worker's death is an outcome, and recorded; Tune would print it with its traceback, and again at
# the end.
for name in ("ray.tune.execution.tune_controller", "ray.tune.tune"):
    logging.getLogger(name).setLevel(logging.CRITICAL)

_SHORT = "the node running low on memory"
"""What Ray says of workers that it has ended for want of memory (2.60)."""


@final
class JobSearcher(Searcher):
    """Hands jobs to Tune, and their results back to where the jobs came from.

    Args:
        jobs: where they come from. watchdog: knows why a worker is gone.
        retries: how often a job runs again whose worker died, or ran out of memory.

    Attributes:
        error: what `jobs` raised; Tune would bury it, so it ends the sweep and is kept.
        short_of_memory: Tune's trials of which Ray says that their node was.
        frozen: those whose worker was frozen; see `Overseer`.
    """

    def __init__(self, jobs: Jobs | None, watchdog: Watchdog | None, retries: int) -> None:
        super().__init__(metric=None, mode=None)  # the objectives are not Tune's business
        self._jobs, self._watchdog, self._retries = jobs, watchdog, retries
        self._handed: dict[str, Job] = {}
        self._ended: Counter[TrialKey] = Counter()
        self.short_of_memory: set[str] = set()
        self.frozen: set[str] = set()
        self._again: deque[Job] = deque()
        self.error: Exception | None = None

    def suggest(self, trial_id: str) -> Any:
        """The next job; None where one has to wait; FINISHED at the end."""
        assert self._jobs is not None
        if self.error is not None:
            return Searcher.FINISHED
        job = self._again.popleft() if self._again else self._jobs.next()
        if job is None:
            return Searcher.FINISHED if self._jobs.finished else None
        self._handed[trial_id] = job
        return {"job": job}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Pass on a result; a trial's exception is a result, so an error is a dead worker."""
        assert self._jobs is not None
        assert self._watchdog is not None
        given = result.get("result") if result and not error else None
        if self.error is not None:
            return
        job = self._handed.pop(trial_id)
        if given is None:
            given = self._watchdog.verdict(
                job.key,
                out_of_memory=trial_id in self.short_of_memory,
                frozen=trial_id in self.frozen,
            )
        if isinstance(given, Failure) and given.kind in ("died", "memory"):
            self._ended[job.key] += 1
            if self._ended[job.key] <= self._retries:
                self._again.append(job)
                return
            times = self._ended[job.key]
            given = replace(given, cause=f"{given.cause} (run {times} times)")
        try:
            self._jobs.finish(job.key, given)
        except (AutopruneError, OSError) as error:
            self.error = error

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the run folder is the record."""

    def restore(self, checkpoint_path: str) -> None:
        """Never: a run is resumed by running it again."""
        raise NotImplementedError("run the study again on its folder to resume it")

    def __reduce__(self) -> tuple[Any, ...]:
        """Tune pickles the searcher into its snapshot; the jobs stay here."""
        return (JobSearcher, (None, None, 0))


@final
class _Scheduler(FIFOScheduler):
    """First come, first served; tells the searcher which workers Ray ended for want of memory."""

    def __init__(self, searcher: JobSearcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._searcher = searcher

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Comes before the searcher hears of it; Tune keeps the error as text alone."""
        file = trial.error_file
        if file and _SHORT in Path(file).read_text(encoding="utf-8", errors="replace"):
            self._searcher.short_of_memory.add(trial.trial_id)


class _Trainable(tune.Trainable):
    """A reused actor: it is set up once, and then given one job after the other."""

    def setup(  # type: ignore[override]
        self, config: dict[str, Any], setup: Setup, threads: int, watchdog: Watchdog
    ) -> None:
        """Keep what `tune.with_parameters` hands over."""
        self._worker = Worker(setup, threads, watchdog)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Ready for the next job as it is."""
        return True

    def step(self) -> dict[str, Any]:
        """Carry out the job."""
        return {"result": self._worker.run(self.config["job"]), "done": True}


def run_with_ray(
    jobs: Jobs, setup: Setup, workers: Workers, lock: Path, listen: Callable[[], None]
) -> None:
    """Run until all jobs are finished, as many at a time as there are workers.

    Args:
        jobs: hands them out and takes their results.
        setup: what all jobs share.
        workers: who carries them out; the Ray that this process is connected to is used, or one of
            their address is joined, or one is started.
        lock: a file in the run folder, by which nodes find out whether they see it.
        listen: called once Ray has started, which takes the signals of the process.

    Raises what `jobs` raises, and InputError where the workers cannot be had.
    """
    # Why a worker was ended is told in files: limits need a folder that driver and workers see.
    apart = workers.artifacts is not None and workers.allowance == ANYTHING
    with tempfile.TemporaryDirectory(prefix="autoprune-") as scratch, ExitStack() as stack:
        watchdog = Watchdog((Path(scratch) if apart else lock.parent) / "ended", workers.allowance)
        searcher = JobSearcher(jobs, watchdog, workers.retries)
        needs = Needs.here(setup.data.files, None if apart else lock, workers.artifacts)
        stack.enter_context(connected(workers, needs, setup.data.held_bytes))
        listen()
        trainable = tune.with_parameters(
            _Trainable, setup=setup, threads=workers.threads, watchdog=watchdog
        )
        tune.Tuner(
            tune.with_resources(trainable, workers.resources),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                scheduler=_Scheduler(searcher),
                num_samples=-1,
                max_concurrent_trials=workers.count,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=scratch,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                callbacks=[Overseer(workers.allowance.minutes, searcher.frozen)],
                verbose=0,
            ),
        ).fit()
    if searcher.error is not None:
        raise searcher.error
