"""Run all jobs in this process, one after the other, without Ray."""

from __future__ import annotations

from autoprune.search.job import Jobs
from autoprune.sweep.worker import Worker
from autoprune.trial import Bench


def run_in_process(jobs: Jobs, bench: Bench, threads: int) -> None:
    """Run until all jobs are finished."""
    worker = Worker(bench, threads)
    while (job := jobs.next()) is not None:
        jobs.finish(job.key, worker.run(job))
