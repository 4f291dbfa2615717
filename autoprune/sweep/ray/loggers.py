"""Tracking: what the record holds of every trial, in TensorBoard and MLflow as well.

Ray's own logger callbacks write it, hence any tool that reads Ray's logs reads these. They are fed
with recorded outcomes instead of what Tune's trials report: so the numbers are the record's, trials
that were not trained are there too, a study without Ray is tracked alike, and one that goes on
after a kill logs what is missing and nothing twice.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, final

from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.runs.outcome_file import read_outcome

_PACKAGES = {"tensorboard": "tensorboardX", "mlflow": "mlflow"}
"""The module that each of them takes."""

_URI = "MLFLOW_TRACKING_URI"
"""The environment's variable with the address of a server, MLflow's own."""

_TAG = "autoprune_run"
"""Tag of an MLflow run that says whose it is: a server may hold runs of many folders."""


@dataclass(eq=False, slots=True)
class _Trial:
    """What Ray's loggers read of one of Tune's trials.

    Attributes:
        name: of the outcome's file. config: its configuration, origin and state.
        local_path: the folder for its files.
    """

    name: str
    config: dict[str, Any]
    local_path: str = ""
    evaluated_params: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.evaluated_params = self.config

    def __str__(self) -> str:
        return self.name

    def init_local_path(self) -> None:
        """Make the folder."""
        Path(self.local_path).mkdir(parents=True, exist_ok=True)


class _Log(Protocol):
    """Where outcomes are logged."""

    def has(self, name: str) -> bool:
        """Whether the outcome of that name is logged already."""

    def write(self, name: str, outcome: Outcome) -> None:
        """Log it."""


def numbers(outcome: Outcome) -> dict[str, float]:
    """The numbers of an outcome, by name; none where nothing was measured.

    Validation and test score, share of block weights kept, nonzero parameters, synaptic operations
    per inference, seconds that it took, and by machine energy in microjoules and latency in
    microseconds per inference: ``energy_uj/loihi1``, since MLflow's names have no ``@``.
    """
    found = outcome.measurement
    if found is None:
        return {}
    values: dict[str, float | None] = {
        f"val_{found.validation.name}": found.validation.accuracy,
        f"test_{found.test.name}": found.test.accuracy,
        "kept_weights": found.kept_weights,
        "parameters": float(found.parameters),
        "effective_sops": found.workload.per_sample("effective_sops"),
        "seconds": outcome.ended.seconds,
    }
    for machine, charge in outcome.charges:
        values[f"energy_uj/{machine}"] = charge.energy_uj
        values[f"latency_us/{machine}"] = charge.latency_us
    return {name: float(value) for name, value in values.items() if value is not None}


def _log(callback: Any, trial: _Trial, outcome: Outcome) -> None:
    """Have one of Ray's loggers write an outcome; its step is the trial's number."""
    found = numbers(outcome)
    step = outcome.key.number
    callback.log_trial_start(trial)
    if found:
        callback.log_trial_result(step, trial, {**found, "training_iteration": step})
    callback.log_trial_end(trial, failed=outcome.state == "failed")


def _config(outcome: Outcome) -> dict[str, Any]:
    return {
        **{str(p): v for p, v in outcome.configuration},
        "origin": outcome.origin,
        "state": outcome.state,
    }


@final
class _TensorBoard:
    """A folder of events per trial: ``tensorboard/00017``, there whole or not at all."""

    def __init__(self, folder: RunFolder) -> None:
        from ray.tune.logger import TBXLoggerCallback

        self._done, self._scratch = folder.tensorboard, folder.path / ".tensorboard"
        shutil.rmtree(self._scratch, ignore_errors=True)  # what a kill has left
        self._callback = TBXLoggerCallback()  # type: ignore[no-untyped-call]

    def has(self, name: str) -> bool:
        return (self._done / name).is_dir()

    def write(self, name: str, outcome: Outcome) -> None:
        part = self._scratch / name
        try:
            _log(self._callback, _Trial(name, _config(outcome), str(part)), outcome)
            self._done.mkdir(exist_ok=True)
            part.replace(self._done / name)
            self._scratch.rmdir()
        except OSError as error:
            reason = error.strerror or error
            raise RecordError(f"{self._done}: cannot be written ({reason})") from error


@final
class _MLflow:
    """A run of MLflow per trial: on the server of MLFLOW_TRACKING_URI, else in ``mlflow.db``."""

    def __init__(self, folder: RunFolder) -> None:
        # A study in a closed network waits for nobody, and one elsewhere tells nobody.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
        from ray.air.integrations.mlflow import MLflowLoggerCallback
        from sqlalchemy.exc import SQLAlchemyError

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it sets its own when imported
        self._errors = (MlflowException, SQLAlchemyError, OSError)
        given = os.environ.get(_URI)
        self._where = _URI if given else str(folder.path / "mlflow.db")
        address = given or f"sqlite:///{(folder.path / 'mlflow.db').resolve()}"
        self._run = folder.record.places.mlflow
        self._callback = MLflowLoggerCallback(
            tracking_uri=address,
            experiment_name=os.environ.get("MLFLOW_EXPERIMENT_NAME") or folder.path.resolve().name,
            tags={_TAG: self._run},
        )
        try:
            self._callback.setup()  # type: ignore[no-untyped-call]
            self._known = self._logged(MlflowClient(address))
        except self._errors as error:
            reason = f"MLflow cannot be used ({_line(error)})"
            raise InputError(self._where, reason, "a server that answers, or a database") from error
        finally:
            _restore(_URI, given)

    def _logged(self, client: Any) -> set[str]:
        """Names of the outcomes that are there; what a kill left half-logged is removed."""
        known, page = set(), None
        while True:
            found = client.search_runs(
                [self._callback.mlflow_util.experiment_id],
                filter_string=f"tags.{_TAG} = '{self._run}'",
                page_token=page,
            )
            for run in found:
                if run.info.status in ("FINISHED", "FAILED"):
                    known.add(run.data.tags["trial_name"])
                else:
                    client.delete_run(run.info.run_id)
            page = found.token
            if not page:
                return known

    def has(self, name: str) -> bool:
        return name in self._known

    def write(self, name: str, outcome: Outcome) -> None:
        trial = _Trial(name, _config(outcome))
        try:
            _log(self._callback, trial, outcome)
        except self._errors as error:
            raise RecordError(f"{self._where}: MLflow takes nothing ({_line(error)})") from error
        trial.config.clear()  # Ray keeps the trial


def _restore(variable: str, value: str | None) -> None:
    """MLflow puts the address into the environment, where the next run would take it for given."""
    os.environ.pop(variable, None)
    if value is not None:
        os.environ[variable] = value


def _line(error: Exception) -> str:
    """What an error says first, without the user and password of an address."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"//[^/@\s]*@", "//", line)


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
        makers = {"tensorboard": _TensorBoard, "mlflow": _MLflow}
        self._folder = folder
        self._logs: list[_Log] = [makers[name](folder) for name in track]

    def catch_up(self) -> None:
        """Log what is in the run folder and not yet logged.

        Raises RecordError where that cannot be written.
        """
        for log in self._logs:
            for folder in (self._folder.baselines, self._folder.trials):
                for file in sorted(folder.glob("*.parquet")):
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
