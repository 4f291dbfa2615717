"""Run the jobs with Ray Tune: a searcher that hands them out, a trainable that carries them out.

What is recorded is the business of whoever hands out the jobs. Tune's own record is thrown away:
its snapshots lag behind by seconds, so that restoring from them loses or repeats finished trials.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter, deque
from pathlib import Path
from typing import Any, final

# Read by Ray when it is imported: no experiment box, no logger per trial, no change of folder.
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
os.environ.setdefault("RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

from ray import tune
from ray.tune.search import Searcher

from autoprune.errors import AutopruneError
from autoprune.search.job import Failure, Job, Jobs
from autoprune.sweep.cluster import connected, count_nodes
from autoprune.sweep.crew import Crew
from autoprune.sweep.node import Needs
from autoprune.sweep.worker import Worker
from autoprune.trial import Bench

_AGAIN = 3
"""How often a job whose worker died runs again where there are several nodes.

The node may have gone down, which is not the trial's doing; Ray notices that later than the death.
"""


@final
class JobSearcher(Searcher):
    """Hands jobs to Tune, and their results back to where the jobs came from.

    Attributes:
        error: what that raised; Tune would bury it, so it ends the sweep and is kept.
    """

    def __init__(self, jobs: Jobs | None) -> None:
        super().__init__(metric=None, mode=None)  # the objectives are not Tune's business
        self._jobs = jobs
        self._handed: dict[str, tuple[Job, bool]] = {}
        self._deaths: Counter[str] = Counter()
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
        self._handed[trial_id] = job, count_nodes() > 1
        return {"job": job}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Pass on a result; a trial's exception is a result, so an error is a dead worker."""
        assert self._jobs is not None
        died = Failure(cause="the process that ran it died: killed, out of memory, or crashed")
        given = result.get("result") if result and not error else None
        if self.error is not None:
            return
        job, several = self._handed.pop(trial_id)
        if given is None and several and self._deaths[job.key] < _AGAIN:
            self._deaths[job.key] += 1
            self._again.append(job)
            return
        try:
            self._jobs.finish(job.key, died if given is None else given)
        except (AutopruneError, OSError) as error:
            self.error = error

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the run folder is the record."""

    def restore(self, checkpoint_path: str) -> None:
        """Never: a run is resumed by running it again."""
        raise NotImplementedError("run the study again on its folder to resume it")

    def __reduce__(self) -> tuple[Any, ...]:
        """Tune pickles the searcher into its snapshot; the jobs stay here."""
        return (JobSearcher, (None,))


class _Trainable(tune.Trainable):
    """A reused actor: it is set up once, and then given one job after the other."""

    def setup(  # type: ignore[override]
        self, config: dict[str, Any], bench: Bench, threads: int
    ) -> None:
        """Keep what `tune.with_parameters` hands over."""
        self._worker = Worker(bench, threads)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Ready for the next job as it is."""
        return True

    def step(self) -> dict[str, Any]:
        """Carry out the job."""
        return {"result": self._worker.run(self.config["job"]), "done": True}


def run_with_ray(jobs: Jobs, bench: Bench, crew: Crew, lock: Path) -> None:
    """Run until all jobs are finished, as many at a time as the crew has workers.

    Args:
        jobs: hands them out and takes their results.
        bench: what all jobs share.
        crew: who carries them out; the Ray that this process is connected to is used, or one of
            the crew's address is joined, or one is started.
        lock: a file in the run folder, by which nodes find out whether they see it.

    Raises what `jobs` raises, and InputError where the crew cannot be had.
    """
    searcher = JobSearcher(jobs)
    needs = Needs.here(bench.data.files, lock)
    with connected(crew, needs), tempfile.TemporaryDirectory(prefix="autoprune-") as scratch:
        trainable = tune.with_parameters(_Trainable, bench=bench, threads=crew.threads)
        tune.Tuner(
            tune.with_resources(trainable, crew.resources),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                num_samples=-1,
                max_concurrent_trials=crew.workers,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=scratch,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        ).fit()
    if searcher.error is not None:
        raise searcher.error
