"""Run all jobs in this process, one after the other, without Ray."""

from __future__ import annotations

from autoprune.search.conductor import Conductor
from autoprune.sweep.worker import Worker
from autoprune.trial import Bench


def run_in_process(conductor: Conductor, bench: Bench, threads: int) -> None:
    """Run until the conductor is finished."""
    worker = Worker(bench, threads)
    while (job := conductor.next()) is not None:
        conductor.finish(job.key, worker.run(job))
