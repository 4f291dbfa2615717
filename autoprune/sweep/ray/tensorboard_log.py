"""Outcomes in TensorBoard: folders of events."""

from __future__ import annotations

import shutil
from typing import final

from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.sweep.ray.logged_trial import LoggedTrial, log_outcome


@final
class TensorBoardLog:
    """A folder of events per trial: ``tensorboard/00017``, there whole or not at all."""

    def __init__(self, folder: RunFolder) -> None:
        from ray.tune.logger import TBXLoggerCallback

        self._done, self._scratch = folder.tensorboard, folder.path / ".tensorboard"
        shutil.rmtree(self._scratch, ignore_errors=True)  # what a kill has left
        self._callback = TBXLoggerCallback()  # type: ignore[no-untyped-call]

    def has(self, name: str) -> bool:
        """Whether the outcome of that name is logged already."""
        return (self._done / name).is_dir()

    def write(self, name: str, outcome: Outcome) -> None:
        """Log an outcome; RecordError where the folder cannot be written."""
        part = self._scratch / name
        try:
            log_outcome(self._callback, LoggedTrial.of(name, outcome, str(part)), outcome)
            self._done.mkdir(exist_ok=True)
            part.replace(self._done / name)
            self._scratch.rmdir()
        except OSError as error:
            reason = error.strerror or error
            raise RecordError(f"{self._done}: cannot be written ({reason})") from error
