"""Settle: a result becomes an outcome, and an outcome what Optuna is told of it."""

from __future__ import annotations

import math

from autoprune.errors import AutopruneError
from autoprune.runs.budget import Excess
from autoprune.runs.outcome import Outcome, Read, State
from autoprune.search.proposals import Proposed
from autoprune.search.task import Task
from autoprune.trial.job import Failure, Result
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement


def as_outcome(
    task: Task, trial: Proposed, result: Result | None, same_as: TrialKey | None = None
) -> Outcome:
    """The outcome of a trial that is open; without a result it is the plan that breaks a budget.

    `same_as` is the key of the trial or baseline whose result it is.
    """
    measurement = result if isinstance(result, Measurement) else None
    cause = result.cause if isinstance(result, Failure) else unusable(task, measurement)
    excess: Excess = ()
    if measurement is not None and not cause:
        excess = task.goals.excess(measurement)
    elif result is None:
        excess = task.goals.known_excess(trial.job.plan)
    broken = tuple((budget, by) for budget, by in excess if by > 0)
    peak = result.peak_gib if isinstance(result, Failure) and result.kind == "memory" else None
    infeasible = broken or peak is not None
    ended: State = "infeasible" if infeasible else "failed" if cause else "measured"
    return Outcome(
        key=trial.job.key,
        origin=trial.origin,
        configuration=tuple(trial.configuration.items()),
        plan=trial.job.plan,
        seed=trial.job.seed,
        state="duplicate" if trial.same_as else ended,
        measurement=measurement,
        same_as=same_as,
        cause=cause,
        charges=() if measurement is None else task.goals.charges(measurement),
        broken=broken,
        peak_gib=peak,
        read=() if measurement is None or cause else _read(task, measurement),
    )


def _read(task: Task, measurement: Measurement) -> tuple[Read, ...]:
    """What the network is worth after other time steps than it was trained for."""
    found = []
    for reading in measurement.readings:
        own = measurement.after(reading.time_steps)
        found.append(
            Read(
                time_steps=reading.time_steps,
                charges=task.goals.charges(own),
                broken=tuple((budget, by) for budget, by in task.goals.excess(own) if by > 0),
            )
        )
    return tuple(found)


def unusable(task: Task, measurement: Measurement | None) -> str:
    """Why Optuna cannot be told of a measurement; empty where it can, or there is none."""
    if measurement is None:
        return ""
    try:
        values = [v for _, v in task.goals.excess(measurement)]
        values += task.goals.objectives(measurement)
    except AutopruneError as error:
        return str(error)
    bad = [value for value in values if not math.isfinite(value)]
    return f"an objective is {bad[0]}" if bad else ""


def as_told(
    task: Task, outcome: Outcome, parent: Outcome
) -> tuple[list[float] | None, dict[str, object], dict[str, float]]:
    """The values of an outcome, None where it has none, notes, and constraints by name.

    These are how far it is beyond budgets, and on machines of objectives from an answer: what a
    network saves by leaving its work to a host is not to be sought. `parent` is the fine-tuned one.
    """
    note: dict[str, object] = {"state": outcome.state, "origin": outcome.origin}
    if outcome.cause:
        note["cause"] = outcome.cause[-1000:]
    if outcome.same_as is not None:
        note["same_as"] = str(outcome.same_as)
    measurement, values, excess = outcome.measurement, None, outcome.broken
    if measurement is not None and not outcome.cause:
        values, excess = task.goals.objectives(measurement), task.goals.excess(measurement)
        excess += task.goals.own_work(outcome.charges, parent.charges)
    return values, note, dict(excess)
