"""Outcomes in MLflow: runs on a server, or in a file of the run folder."""

from __future__ import annotations

import logging
import os
import re
from typing import Any, final

from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.sweep.ray.logged_trial import LoggedTrial, log_outcome

_URI = "MLFLOW_TRACKING_URI"
"""The environment's variable with the address of a server, MLflow's own."""

_TAG = "autoprune_run"
"""Tag of an MLflow run that says whose it is: a server may hold runs of many folders."""


@final
class MLflowLog:
    """A run of MLflow per trial: on the server of MLFLOW_TRACKING_URI, else in ``mlflow.db``.

    Raises InputError where that cannot be used.
    """

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
        self._where = _URI if given else str(folder.mlflow)
        address = given or f"sqlite:///{folder.mlflow.resolve()}"
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
        """Whether the outcome of that name is logged already."""
        return name in self._known

    def write(self, name: str, outcome: Outcome) -> None:
        """Log an outcome; RecordError where MLflow does not take it."""
        trial = LoggedTrial.of(name, outcome)
        try:
            log_outcome(self._callback, trial, outcome)
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
