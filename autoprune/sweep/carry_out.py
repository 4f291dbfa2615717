"""Carry out jobs with a crew: with Ray Tune, or in this process."""

from __future__ import annotations

from typing import final

from autoprune.lock import Hold
from autoprune.search.job import Job, Jobs, Result
from autoprune.sweep.crew import Crew
from autoprune.sweep.in_process import run_in_process
from autoprune.trial import Bench


@final
class _Held:
    """Jobs whose results are taken only while this process holds the run folder."""

    def __init__(self, jobs: Jobs, hold: Hold) -> None:
        self._jobs, self._hold = jobs, hold

    @property
    def finished(self) -> bool:
        return self._jobs.finished

    def next(self) -> Job | None:
        return self._jobs.next()

    def finish(self, key: str, result: Result) -> None:
        self._hold.check()
        self._jobs.finish(key, result)


def carry_out(jobs: Jobs, bench: Bench, crew: Crew, hold: Hold) -> None:
    """Run until all jobs are finished.

    Raises what `jobs` raises, InputError where the crew cannot be had, and RecordError once
    another process has taken over the run folder.
    """
    held = _Held(jobs, hold)
    if crew.workers == 0:
        run_in_process(held, bench, crew.threads)
    elif not jobs.finished:
        from autoprune.sweep.ray_tune import run_with_ray  # Ray takes seconds to import

        run_with_ray(held, bench, crew, hold.file)
