"""Execute jobs: with Ray Tune, or in this process."""

from __future__ import annotations

from typing import final

from autoprune.errors import RecordError
from autoprune.runs.lock import Hold
from autoprune.sweep.stop import Stop, Terminated
from autoprune.sweep.worker import Worker
from autoprune.sweep.workers import Workers
from autoprune.trial.job import Failure, Job, Jobs, Result
from autoprune.trial.key import TrialKey
from autoprune.trial.setup import Setup


@final
class _Held:
    """Jobs that begin until a stop is asked for.

    Their results are taken only while this process holds the run folder.
    """

    def __init__(self, jobs: Jobs, hold: Hold, stop: Stop) -> None:
        self._jobs, self._hold, self._stop = jobs, hold, stop
        self._running = 0

    @property
    def finished(self) -> bool:
        return self._jobs.finished or (self._stop.asked and not self._running)

    def next(self) -> Job | None:
        job = None if self._stop.asked else self._jobs.next()
        self._running += job is not None
        return job

    def finish(self, key: TrialKey, result: Result) -> None:
        self._hold.check()
        if isinstance(result, Failure) and result.kind == "storage":
            raise RecordError(result.cause)
        self._running -= 1
        self._jobs.finish(key, result)


def execute(
    jobs: Jobs, setup: Setup, workers: Workers, hold: Hold, stop: Stop | None = None
) -> None:
    """Run until all jobs are finished, or `stop` was asked for and those that ran are.

    Raises what `jobs` raises, InputError where the workers cannot be had, RecordError once another
    process has taken over the run folder, and KeyboardInterrupt after a second Ctrl-C. A process
    that is terminated leaves what has not finished in its grace.
    """
    stop = stop or Stop()
    held = _Held(jobs, hold, stop)
    with stop.listening():
        try:
            _execute(held, setup, workers, hold, stop)
        except RecordError:
            raise
        except (Exception, Terminated):
            if stop.code is None:  # else Ray's own processes may have been terminated, too
                raise


def _execute(jobs: _Held, setup: Setup, workers: Workers, hold: Hold, stop: Stop) -> None:
    if workers.count == 0:
        worker = Worker(setup, workers.threads)
        while (job := jobs.next()) is not None:
            jobs.finish(job.key, worker.run(job))
    elif not jobs.finished:
        from autoprune.sweep.ray.tune import run_with_ray  # Ray takes seconds to import

        run_with_ray(jobs, setup, workers, hold.file, stop.listen)
