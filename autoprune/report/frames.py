"""Fronts and trials as pandas data frames: for notebooks, tables, CSV and Parquet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from autoprune.cost.model import CostModel
from autoprune.networks.shape import NetworkShape
from autoprune.pareto import non_dominated
from autoprune.report.front.front import MachineFront
from autoprune.report.front.priced import energies_uj
from autoprune.runs.outcome import Head, Outcome


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
    heads: Sequence[Head],
    models: Mapping[str, CostModel],
    shape: NetworkShape,
    read: Callable[[str], Outcome],
) -> pd.DataFrame:
    """All trials by number, indexed by trial; what one does not have is missing there.

    Columns: state, origin, score of validation and test with the plan's own bits, energy per
    machine in microjoules (at the bits of the machine), the machines on whose front it is, nonzero
    parameters, share of kept block weights, seconds that it took, the trial whose measurement it
    shares, cause, broken budgets, plan. `read` gives a trial with its operations, of those that a
    machine has not charged yet.

    Raises UnknownCost where a rule of a machine fails.
    """
    energies: dict[str, dict[str, float]] = {}
    members: dict[str, set[str]] = {}
    for name, model in models.items():
        energies[name], _ = energies_uj(heads, model, read)
        members[name] = _members(heads, energies[name], model.machine.weight_bits)
    rows = []
    for head in heads:
        ended, found = head.ended, bool(head.scores)
        _, validation, test = head.scores[0] if found else (None, None, None)
        score = validation.name if validation else "accuracy"
        rows.append(
            {
                "trial": int(head.key),
                "state": ended.state,
                "origin": ended.origin,
                f"val_{score}": validation.accuracy if validation else None,
                f"test_{score}": test.accuracy if test else None,
                **{f"energy_uj@{name}": of.get(head.key) for name, of in energies.items()},
                "fronts": ", ".join(name for name, keys in members.items() if head.key in keys),
                "parameters": head.parameters if found else None,
                "kept_weights": head.kept_weights if found else None,
                "seconds": ended.seconds if found and not ended.same_as else None,
                "same_as": ended.same_as,
                "cause": ended.cause,
                "broken": ", ".join(budget for budget, _ in ended.broken),
                "plan": head.plan.short(shape),
            }
        )
    frame = pd.DataFrame(rows).set_index("trial") if rows else pd.DataFrame()
    if "parameters" in frame:
        frame["parameters"] = frame["parameters"].astype("Int64")
    return frame


def _members(heads: Sequence[Head], energies: Mapping[str, float], weight_bits: int) -> set[str]:
    """Keys of the trials that no other dominates, by score at a machine's bits and energy."""
    rivals = [h for h in heads if h.ended.state == "measured" and h.key in energies]
    pairs = [(head.at(weight_bits)[1].accuracy, energies[head.key]) for head in rivals]
    return {rivals[i].key for i in non_dominated(pairs)}
