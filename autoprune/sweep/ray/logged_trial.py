"""An outcome as Ray's loggers are told of it: a trial of Tune's, and numbers by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from autoprune.runs.outcome import Outcome


@dataclass(eq=False, slots=True)
class LoggedTrial:
    """What Ray's loggers read of one of Tune's trials.

    Attributes:
        name: of the outcome's file. config: its configuration, origin and state.
        local_path: the folder for its files.
    """

    name: str
    config: dict[str, Any]
    local_path: str = ""
    evaluated_params: dict[str, Any] = field(init=False)

    @classmethod
    def of(cls, name: str, outcome: Outcome, local_path: str = "") -> Self:
        """The trial that an outcome, whose file has that name, is logged as."""
        config = {str(parameter): value for parameter, value in outcome.configuration}
        config |= {"origin": outcome.origin, "state": outcome.state}
        return cls(name=name, config=config, local_path=local_path)

    def __post_init__(self) -> None:
        self.evaluated_params = self.config

    def __str__(self) -> str:
        return self.name

    def init_local_path(self) -> None:
        """Make the folder."""
        Path(self.local_path).mkdir(parents=True, exist_ok=True)


def numbers(outcome: Outcome) -> dict[str, float]:
    """The numbers of an outcome, by name; none where nothing was measured.

    Validation score, test score where it was evaluated, share of block weights kept, nonzero
    parameters, synaptic operations per inference, seconds that it took, and by machine energy in
    microjoules and latency in microseconds per inference: ``energy_uj/loihi1``, since MLflow's
    names have no ``@``.
    """
    found = outcome.measurement
    if found is None:
        return {}
    values: dict[str, float | None] = {
        f"val_{found.validation.name}": found.validation.accuracy,
        f"test_{found.validation.name}": found.test.accuracy if found.test else None,
        "kept_weights": found.kept_weights,
        "parameters": float(found.parameters),
        "effective_sops": found.workload.per_sample("effective_sops"),
        "seconds": outcome.ended.seconds,
    }
    for machine, charge in outcome.charges:
        values[f"energy_uj/{machine}"] = charge.energy_uj
        values[f"latency_us/{machine}"] = charge.latency_us
    return {name: float(value) for name, value in values.items() if value is not None}


def log_outcome(callback: Any, trial: LoggedTrial, outcome: Outcome) -> None:
    """Have one of Ray's loggers write an outcome; its step is the trial's number."""
    found = numbers(outcome)
    step = outcome.key.number
    callback.log_trial_start(trial)
    if found:
        callback.log_trial_result(step, trial, {**found, "training_iteration": step})
    callback.log_trial_end(trial, failed=outcome.state == "failed")
