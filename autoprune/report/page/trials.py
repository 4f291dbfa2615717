"""All trials of a run as JSON values: plan by branch, scores, and energy by cause and layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from autoprune.compress.part import Amount
from autoprune.compress.plan import Plan
from autoprune.compress.registry import settings_at
from autoprune.config import Json
from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.networks.place import Place
from autoprune.networks.shape import NetworkShape
from autoprune.report.front.priced import AT_A_TIME, Measured, price_outcomes
from autoprune.report.front.trial import export_command
from autoprune.report.rows import TrialRow, trial_row
from autoprune.runs.folder import RunFolder
from autoprune.runs.metrics import metric_value
from autoprune.runs.outcome import Outcome
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement, Score, Seconds, why_not

DIGITS = 4
"""Significant digits of what a total is made of; totals and scores have them all."""


class Names:
    """Words that return in many trials, by number: in the page each stands once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """The number of a name, new or known."""
        if name not in self._places:
            self._places[name] = len(self.all)
            self.all.append(name)
        return self._places[name]

    def sparse(self, values: Mapping[str, float]) -> list[float]:
        """Number and value in turn, of what is not zero."""
        found: list[float] = []
        for name, value in values.items():
            if value:
                found += [self.place(name), rounded(value)]
        return found


def rounded(value: float) -> float:
    """To `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")


def score_values(score: Score) -> dict[str, Json]:
    """A score with its 95 % interval."""
    low, high = score.interval
    return {"value": score.accuracy, "low": rounded(low), "high": rounded(high)}


class TrialValues(NamedTuple):
    """What the page has of a trial, and how long it took; None where it did not train."""

    values: Mapping[str, Json]
    seconds: Seconds | None


def trial_values(
    folder: RunFolder, keys: Sequence[TrialKey], models: Sequence[CostModel], names: Names
) -> Iterator[TrialValues]:
    """Trials or baselines in the order of `keys`; a part of them is in memory at a time.

    On a machine for which a rule fails they have no energy; who calls names it.
    Raises RecordError where a file is damaged.
    """
    shape = folder.record.shape
    for first in range(0, len(keys), AT_A_TIME):
        outcomes = [folder.read(key) for key in keys[first : first + AT_A_TIME]]
        on: dict[TrialKey, dict[str, Json]] = {outcome.key: {} for outcome in outcomes}
        for model in models:
            try:
                priced, missing = price_outcomes(outcomes, model)
            except UnknownCost:
                continue
            for item in priced:
                on[item.outcome.key][model.machine.name] = _energy(item, model, names)
            for key, why in missing.items():
                on[key][model.machine.name] = {"missing": why}
        for outcome in outcomes:
            found = outcome.measurement
            seconds = found.seconds if found and outcome.same_as is None else None
            values = {
                **_values(folder, outcome, shape, names),
                "seconds": asdict(seconds) if seconds else None,
                "on": on[outcome.key],
            }
            yield TrialValues(values, seconds)


def _values(
    folder: RunFolder, outcome: Outcome, shape: NetworkShape, names: Names
) -> dict[str, Json]:
    found, row = outcome.measurement, trial_row(outcome.head, shape)
    return {
        "trial": str(row.key),
        "state": row.state,
        "origin": row.origin,
        "same_as": None if row.same_as is None else str(row.same_as),
        "cause": row.cause,
        "broken": list(row.broken),
        "plan": row.plan,
        "branches": _branches(outcome.plan, found, shape),
        "neurons": [_neurons(outcome.plan, Place(i, "neuron")) for i in range(len(shape.blocks))],
        "export": export_command(Path(folder.path.name), row.same_as or row.key) if found else None,
        **(_measured(row, found, names) if found else {}),
    }


def _measured(row: TrialRow, found: Measurement, names: Names) -> dict[str, Json]:
    return {
        "scores": [
            {
                "numbers": own.words,
                "validation": score_values(own.validation),
                "test": score_values(own.test) if own.test else None,
            }
            for own in row.scores
        ],
        "parameters": row.parameters,
        "kept_weights": row.kept_weights,
        "effective_sops": metric_value("effective_sops", found, {}),
        "rates": names.sparse(
            {op.name: op.neurons.rate for op in found.workload.ops if op.neurons.updates}
        ),
    }


def _branches(plan: Plan, found: Measurement | None, shape: NetworkShape) -> list[Json]:
    """Per branch: words, share of dimensions kept, and of the weights in them that are zero.

    Zeros are those that were counted in the network, since a plan may spread them over a block;
    None of a branch that is removed, or where nothing was measured.
    """
    values: list[Json] = []
    words, left = plan.branch_words(shape), plan.left(shape).shape.branches()
    for (place, branch), (_, own) in zip(shape.branches(), left, strict=True):
        weights = [
            (op.b.nonzeros, op.b.size)
            for op in (found.workload.ops if found else ())
            if (op.block, op.branch, op.b.kind) == (place.block, place.part, "weight")
        ]
        size = sum(size for _, size in weights)
        zeros = 1 - sum(nonzeros for nonzeros, _ in weights) / size if size else None
        values.append(
            [
                words[place],
                rounded(own.size / branch.size),
                None if zeros is None or not own.size else rounded(zeros),
            ]
        )
    return values


def _neurons(plan: Plan, place: Place) -> list[Amount]:
    """What is chosen by a word for the neurons of a block."""
    chosen = {name: amount for _, name, amount in plan.inside(place)}
    words = (setting for setting in settings_at("neuron") if setting.words)
    return [chosen.get(setting.name, setting.neutral) for setting in words]


def _energy(item: Measured, model: CostModel, names: Names) -> dict[str, Json]:
    cost = item.cost
    return {
        "energy_uj": item.energy_uj,
        "least_uj": cost.least_uj(model.machine.prices),
        "latency_us": cost.latency_us,
        "scores": item.measurement.precisions.index(item.measured),
        "not_held": why_not(
            model.machine.arithmetic, item.measured.arithmetic, item.measurement.refused
        ),
        "causes": names.sparse(cost.by_cause()),
        "layers": names.sparse(cost.by_op()),
    }
