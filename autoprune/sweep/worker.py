"""Worker: carries out jobs one after the other, holding data and parent all the while."""

from __future__ import annotations

import traceback
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

import torch
from torch import nn

from autoprune.errors import RecordError
from autoprune.files import GIB
from autoprune.networks.checkpoint import save_weights
from autoprune.runs.artifacts import Artifacts
from autoprune.sweep.watchdog import Watchdog
from autoprune.trial.job import Failure, Job
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup, compute_alike
from autoprune.trial.trial import run_trial, with_one_shot


@final
class Worker:
    """Runs jobs in the process that it lives in.

    Args:
        setup: what all jobs share.
        threads: torch threads; more than the process has cores for makes it very slow.
        watchdog: ends this process with a job that takes too much; None where it must not.
    """

    def __init__(self, setup: Setup, threads: int, watchdog: Watchdog | None = None) -> None:
        self._setup = replace(setup, parent=setup.parent.to(setup.device))
        self._watchdog = watchdog
        compute_alike(threads)

    def run(self, job: Job) -> Measurement | Failure:
        """The measurement, or the end of the traceback of whatever went wrong."""
        try:
            with self._watchdog.watching(job.key) if self._watchdog else nullcontext():
                told = self._as_told(job)
                measurement, model = run_trial(told, job.plan, job.seed, test=job.test)
                if job.one_shot:
                    measurement = with_one_shot(told, measurement)
            if job.weights is not None:
                _keep(model, job.weights)
        except RecordError as error:
            return Failure(kind="storage", cause=str(error))
        except (MemoryError, torch.OutOfMemoryError):
            peak = torch.cuda.max_memory_allocated() if self._setup.device == "cuda" else 0
            cause = traceback.format_exc(limit=-3).strip()
            return Failure(kind="memory", peak_gib=peak / GIB, cause=cause)
        except Exception:  # noqa: BLE001 - a trial may fail in any way; the sweep goes on
            return Failure(cause=traceback.format_exc(limit=-3).strip())
        return measurement

    def _as_told(self, job: Job) -> Setup:
        """The setup, with what is another for this job."""
        if job.neuron_learning_rate is None:
            return self._setup
        recipe = replace(self._setup.recipe, neuron_learning_rate=job.neuron_learning_rate)
        return replace(self._setup, recipe=recipe)


def _keep(model: nn.Module, place: Path | str) -> None:
    """Put a network's weights into a file, or to an fsspec address."""
    if isinstance(place, Path):
        save_weights(model, place)
        return
    address, _, name = place.rpartition("/")
    with TemporaryDirectory() as scratch:
        file = Path(scratch) / name
        save_weights(model, file)
        Artifacts(address).put(file, name)
