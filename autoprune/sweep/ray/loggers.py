"""Tracking: what the record holds of every trial, in TensorBoard and MLflow as well.

Ray's own logger callbacks write it, hence any tool that reads Ray's logs reads these. They are fed
with recorded outcomes instead of what Tune's trials report: so the numbers are the record's, trials
that were not trained are there too, a study without Ray is tracked alike, and one that goes on
after a kill logs what is missing and nothing twice.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, final

from autoprune.errors import InputError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.runs.outcome_file import read_outcome
from autoprune.sweep.ray.mlflow_log import MLflowLog
from autoprune.sweep.ray.tensorboard_log import TensorBoardLog

_PACKAGES = {"tensorboard": "tensorboardX", "mlflow": "mlflow"}
"""The module that each of them takes."""


class _Log(Protocol):
    """Where outcomes are logged."""

    def has(self, name: str) -> bool:
        """Whether the outcome of that name is logged already."""

    def write(self, name: str, outcome: Outcome) -> None:
        """Log it."""


@final
class Loggers:
    """Logs the outcomes of a run, each once.

    Args:
        track: ``tensorboard``, ``mlflow``, both or none, as the study has it.
        folder: the run folder, with the study in it.

    Raises InputError where MLflow cannot be reached.
    """

    def __init__(self, track: Sequence[str], folder: RunFolder) -> None:
        makers: dict[str, Callable[[RunFolder], _Log]]
        makers = {"tensorboard": TensorBoardLog, "mlflow": MLflowLog}
        self._folder = folder
        self._logs: list[_Log] = [makers[name](folder) for name in track]

    def catch_up(self) -> None:
        """Log what is in the run folder and not yet logged.

        Raises RecordError where that cannot be written.
        """
        for log in self._logs:
            for folder in (self._folder.baselines, self._folder.trials):
                for file in self._folder.files(folder):
                    if not log.has(file.stem):
                        log.write(file.stem, read_outcome(file))

    def log(self, outcome: Outcome) -> None:
        """Log an outcome that is on disk.

        Raises RecordError where it cannot be written; the outcome itself is safe, and what is
        missing is logged when the run goes on.
        """
        for log in self._logs:
            log.write(outcome.key.stem, outcome)


def check_packages(track: Iterable[str], where: str) -> None:
    """InputError, with what to install, unless the packages of all of these are here."""
    for name in track:
        if importlib.util.find_spec(_PACKAGES[name]) is None:
            given = f"{name}, and there is no package {_PACKAGES[name]}"
            raise InputError(where, given, f"pip install 'autoprune[{name}]'")
