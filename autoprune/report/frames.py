"""Fronts and trials as pandas data frames: for notebooks, tables, CSV and Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple

import pandas as pd

from autoprune.cost.model import CostModel
from autoprune.outcome import Outcome
from autoprune.report.front import MachineFront
from autoprune.report.outcomes import price_outcomes
from autoprune.report.pareto import non_dominated
from autoprune.shape import NetworkShape


def front_frame(front: MachineFront) -> pd.DataFrame:
    """A front by ascending energy, indexed by trial.

    Columns: validation and test score, ends of the 95 % interval of the validation score, energy in
    microjoules per inference, its ratio to the fine-tuned parent's, share of kept block weights,
    nonzero parameters, latency in microseconds where the machine defines one, origin, plan.
    `attrs` has the machine, its title and the data.
    """
    score = front.parent.name
    rows = [
        {
            "trial": row.trial,
            f"val_{score}": row.validation.accuracy,
            "val_low": row.validation.interval[0],
            "val_high": row.validation.interval[1],
            f"test_{score}": row.test.accuracy,
            "energy_uj": row.energy_uj,
            "energy_ratio": row.energy_ratio,
            "kept_weights": row.kept_weights,
            "parameters": row.parameters,
            "latency_us": row.figures.latency_us if row.figures else None,
            "origin": row.origin,
            "plan": row.plan,
        }
        for row in front.rows
    ]
    frame = pd.DataFrame(rows).set_index("trial")
    frame = frame.dropna(axis="columns", how="all")
    frame.columns.name = front.machine
    frame.attrs = {"machine": front.machine, "title": front.title, "data": front.data}
    return frame


def trials_frame(
    outcomes: Sequence[Outcome], models: Mapping[str, CostModel], shape: NetworkShape
) -> pd.DataFrame:
    """All trials by number, indexed by trial; what one does not have is missing there.

    Columns: state, origin, score of validation and test with the plan's own bits, energy per
    machine in microjoules (at the bits of the machine), the machines on whose front it is, nonzero
    parameters, share of kept block weights, seconds that it took, the trial whose measurement it
    shares, cause, broken budgets, plan.

    Raises UnknownCost where a rule of a machine fails.
    """
    energies: dict[str, dict[str, float]] = {}
    members: dict[str, set[str]] = {}
    for name, model in models.items():
        priced, _ = price_outcomes(outcomes, model)
        energies[name] = {item.outcome.key: item.energy_uj for item in priced}
        rivals = [item for item in priced if item.outcome.state == "measured"]
        pairs = [(item.measured.validation.accuracy, item.energy_uj) for item in rivals]
        members[name] = {rivals[i].outcome.key for i in non_dominated(pairs)}
    rows = []
    for outcome in outcomes:
        found = outcome.measurement
        score = found.validation.name if found else "accuracy"
        rows.append(
            {
                "trial": int(outcome.key),
                "state": outcome.state,
                "origin": outcome.origin,
                f"val_{score}": found.validation.accuracy if found else None,
                f"test_{score}": found.test.accuracy if found else None,
                **{f"energy_uj@{name}": of.get(outcome.key) for name, of in energies.items()},
                "fronts": ", ".join(name for name, keys in members.items() if outcome.key in keys),
                "parameters": found.parameters if found else None,
                "kept_weights": found.kept_weights if found else None,
                "seconds": sum(astuple(found.seconds)) if found and not outcome.same_as else None,
                "same_as": outcome.same_as,
                "cause": outcome.cause,
                "broken": ", ".join(budget for budget, _ in outcome.broken),
                "plan": outcome.plan.short(shape),
            }
        )
    frame = pd.DataFrame(rows).set_index("trial") if rows else pd.DataFrame()
    if "parameters" in frame:
        frame["parameters"] = frame["parameters"].astype("Int64")
    return frame
