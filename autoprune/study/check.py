"""Check a study as far as can be without its network and its data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autoprune.compress.bits import LEAST_BITS
from autoprune.compress.space import SearchSpace
from autoprune.cost.arithmetic import words
from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload
from autoprune.errors import InputError
from autoprune.runs.budget import Budget, parse_budgets
from autoprune.runs.metrics import (
    MACHINE_METRICS,
    Undefined,
    check_metric,
    check_objectives,
    is_share,
    split_metric,
)
from autoprune.study.study import Study, load_study


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A study in which every name is known and nothing contradicts.

    Attributes:
        study: as it was read. space: what it searches. file: where it lies.
        machines: the cost models by name. budgets: its bounds.
    """

    study: Study
    space: SearchSpace
    file: Path
    machines: Mapping[str, CostModel]
    budgets: tuple[Budget, ...]


def load_checked(given: str | Study, *, imports: bool = True) -> Checked:
    """The study, read as `load_study` does, with all that it names.

    `imports` says whether classes that it or its machines name may be imported.

    Raises InputError for an unknown name anywhere, for an objective or budget that its machine
    does not define or the space does not search, and for a machine whose weights have too few bits
    or whose neurons cannot differ as finely as the space lets them.
    """
    study, space, file = load_study(given, imports=imports)
    searched = str(study.space)
    models = [
        load_machine(name, file.parent, imports=imports, price_host=study.price_host)
        for name in study.machines
    ]
    machines = {model.machine.name: model for model in models}
    if len(machines) < len(models):
        raise InputError(f"{file}: machines", f"given {study.machines}", "different names")
    for name, model in machines.items():
        if model.machine.weight_bits < LEAST_BITS:
            raise InputError(
                f"{file}: machines",
                f"{name} has weight_bits = {model.machine.weight_bits}",
                f"at least {LEAST_BITS}: a trial is measured with its weights rounded so",
            )
        _check_neurons(model, space, searched, f"{file}: machines")
    _check_rate(study, space, f"{file}: finetune.learning_rate")
    names, score = list(machines), study.functions.score
    check_objectives(study.objectives, names, f"{file}: objectives", score)
    budgets = parse_budgets(study.budgets, f"{file}: budgets")
    for budget in budgets:
        check_metric(budget.metric, names, f"{file}: budgets", score)
        _check_bound(budget, score, f"{file}: budgets")
    for metric in study.objectives:
        _check_defined(metric, space, machines, searched, f"{file}: objectives")
    for budget in budgets:
        _check_defined(budget.metric, space, machines, searched, f"{file}: budgets")
    return Checked(study=study, space=space, file=file, machines=machines, budgets=budgets)


def _check_neurons(model: CostModel, space: SearchSpace, searched: str, where: str) -> None:
    """InputError where the space lets neurons differ more finely than the machine does."""
    asked = space.granularities
    for what, own in model.machine.lacks(asked).items():
        raise InputError(
            where,
            f"{searched} offers {words(what, asked[what])}, which {model.machine.name} has none of",
            f"at the finest {words(what, own.finest)} ({own.source})",
        )


def _check_rate(study: Study, space: SearchSpace, where: str) -> None:
    """InputError where fine-tuning's rate is left out and a run could not choose it."""
    if study.finetune.learning_rate is not None:
        return
    reasons = {
        "nothing is fine-tuned (epochs = 0)": not study.finetune.epochs,
        "the rate that the parent was trained at is not known": study.parent is None,
        f"{study.space} searches it": "learning_rate" in space.model,
        f"{study.space} has no uniform sweep to choose it by": not space.uniform,
    }
    for reason, holds in reasons.items():
        if holds:
            raise InputError(where, f"left out, and {reason}", "a learning rate")


def _check_bound(budget: Budget, score: str, where: str) -> None:
    """InputError for a bound that every network keeps, or none, since no value is so."""
    name = split_metric(budget.metric)[0]
    most = 1 if name == score else math.inf
    if not 0 <= budget.bound <= most:
        raise InputError(where, f"given '{budget}'", "0 to 1" if most == 1 else "0 or more")
    if budget.most and not budget.bound and not (is_share(name) or name == "over_limits"):
        raise InputError(where, f"given '{budget}'", "a number above 0")


def _check_defined(
    metric: str, space: SearchSpace, machines: Mapping[str, CostModel], searched: str, where: str
) -> None:
    """InputError for bits that the space does not search, or what the machine does not define."""
    name, machine = split_metric(metric)
    if name == "weight_bits" and "weight_bits" not in space.model:
        raise InputError(
            where, f"weight_bits, which {searched} does not search", "it in [model] there"
        )
    if machine is None or name not in MACHINE_METRICS:
        return
    try:
        MACHINE_METRICS[name](machines[machine].price(sample_workload()))
    except Undefined as error:
        raise InputError(where, f"{metric}: {machine} defines no {error.noun}") from error
    except UnknownCost:
        return  # of this workload; that of the study's network may have all its prices
