"""What is known of a search before its first trial, as block_response takes it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from autoprune.compress.configuration import make_plan
from autoprune.compress.domain import Domain
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.compress.space import setting_of
from autoprune.runs.metrics import split_metric
from autoprune.runs.pareto import ACCURACY_MARGIN, COST_FACTOR
from autoprune.search.block_response import Prior
from autoprune.search.samplers import to_configuration, to_params
from autoprune.search.task import Task
from autoprune.search.telling import unusable
from autoprune.trial.measurement import Measurement

_ADDITIVE = ("weight_bits", "chips", "host_share", "over_limits")
"""Metrics of which not the logarithm adds up."""

_SHARES = ("host_share",)
"""Metrics that are shares of the network itself: they fall where the rest of it grows, and a front
with them ends at 1."""


def task_prior(task: Task, domains: Mapping[Parameter, Domain], tuned: Measurement) -> Prior:
    """What a task's sampler may know: which parameter does what, and what the parent is worth.

    `domains` are the parameters of its space. `tuned` is the measured fine-tuned parent.
    """

    def plan(params: Mapping[str, Value]) -> str:
        return make_plan(to_configuration(params, domains), task.shape, task.effort).hash

    values = [] if unusable(task, tuned) else task.goals.objectives(tuned)
    prior = network_prior(domains, task.goals.metrics, task.goals.score, values, plan)
    return replace(prior, earlier=list(_earlier(task, domains)))


def _earlier(
    task: Task, domains: Mapping[Parameter, Domain]
) -> Iterator[tuple[dict[str, Value], list[float]]]:
    """Parameters and objectives of another run's trials, where those are of other networks."""
    warm = task.warm
    for outcome in warm.trials if warm is not None and warm.kind == "data" else ():
        if outcome.measurement is not None and not unusable(task, outcome.measurement):
            yield (
                to_params(dict(outcome.configuration), domains),
                task.goals.objectives(outcome.measurement),
            )


def network_prior(
    parameters: Iterable[Parameter],
    metrics: Sequence[str],
    score: str,
    fine_tuned: Sequence[float],
    identity: Callable[[Mapping[str, Any]], Hashable],
) -> Prior:
    """The prior of a search over a network's plans.

    Every cost has a front with the score: with ``accuracy@M`` where that is an objective and the
    cost is the machine's, else with the first score. The front ends where the report's does.

    Args:
        parameters: of its space.
        metrics: the objectives.
        score: the name of what is maximised.
        fine_tuned: the objectives of the fine-tuned parent; empty where it has none.
        identity: of a trial's parameters, the plan.
    """
    scores = [j for j, metric in enumerate(metrics) if split_metric(metric)[0] == score]
    fronts = []
    for j, metric in enumerate(metrics):
        if j not in scores and scores:
            same = [i for i in scores if split_metric(metrics[i])[1] == split_metric(metric)[1]]
            fronts.append(((same or scores)[0], j))
    named = {str(parameter): parameter for parameter in parameters}
    shares = [j for j, metric in enumerate(metrics) if split_metric(metric)[0] in _SHARES]
    monotone = {
        name: [0 if j in shares else rises[j not in scores] for j in range(len(metrics))]
        for name, p in named.items()
        if any(rises := setting_of(p).rises)
    }
    # What acts on the whole network is a part of its own.
    parts = {name: str(p.place) or name for name, p in named.items()}
    return Prior(
        group=parts.__getitem__,
        monotone=monotone,
        logarithmic=[
            j not in scores and split_metric(metric)[0] not in _ADDITIVE
            for j, metric in enumerate(metrics)
        ],
        fronts=fronts,
        reference=[
            value - ACCURACY_MARGIN if j in scores else 1.0 if j in shares else COST_FACTOR * value
            for j, value in enumerate(fine_tuned)
        ],
        identity=identity,
    )
