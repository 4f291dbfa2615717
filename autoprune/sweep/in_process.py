"""Run all jobs in this process, one after the other, without Ray."""

from __future__ import annotations

from autoprune.search.job import Jobs
from autoprune.sweep.crew import Crew
from autoprune.sweep.worker import Worker
from autoprune.trial import Bench


def run_in_process(jobs: Jobs, bench: Bench, crew: Crew) -> None:
    """Run until there is no next job."""
    worker = Worker(bench, crew.threads)
    while (job := jobs.next()) is not None:
        jobs.finish(job.key, worker.run(job))
