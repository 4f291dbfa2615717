"""Limits: a study's budgets against a measurement, or against a plan that is not trained yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn

from autoprune.compress.plan import Plan
from autoprune.compress.surgery.apply import Manner, compress
from autoprune.cost.model import CostModel
from autoprune.runs.budget import Budget, Excess
from autoprune.runs.metrics import metric_value, split_metric
from autoprune.sweep.shapes import known_share, least_memory_kib
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup
from autoprune.workload.census.count import count
from autoprune.workload.workload import Workload


@final
class Budgets:
    """The budgets of a study.

    Args:
        budgets: see there. machines: by name. setup: of the study.
    """

    def __init__(
        self, budgets: Sequence[Budget], machines: Mapping[str, CostModel], setup: Setup
    ) -> None:
        self._budgets, self._machines, self._setup = budgets, machines, setup

    def of(self, measurement: Measurement) -> Excess:
        """The excess of every budget; UnknownCost where a machine cannot tell."""
        return tuple(
            (str(b), b.excess(metric_value(b.metric, measurement, self._machines)))
            for b in self._budgets
        )

    def known(self, plan: Plan) -> Excess:
        """The least excess that training can come to, of budgets of which that is known.

        They are ``weight_bits``, ``parameters``, and what shapes decide of ``memory_kib`` and
        ``host_share``: compression decides which weights are zero and fine-tuning leaves them so;
        what neurons learn may be zero or not; rounding makes more weights zero.
        """
        return tuple(
            (str(budget), budget.excess(value))
            for budget in self._budgets
            if (value := self._best(budget, plan)) is not None
        )

    def _best(self, budget: Budget, plan: Plan) -> float | None:
        """The value after training that would suit the budget best; None where it is not known."""
        if budget.metric == "weight_bits":
            return float(plan.weight_bits)
        parts = list(plan.stages())
        finished = any(method.stage == "values" for method, _ in parts)
        name, machine = split_metric(budget.metric)
        if machine is not None and (name == "host_share" or (name == "memory_kib" and budget.most)):
            model, workload = self._machines[machine], self._counted(plan)
            if name == "host_share":
                return known_share(model, workload, most=budget.most)
            return least_memory_kib(model, workload, rounded=finished)
        if budget.metric != "parameters" or (budget.most and finished):
            return None
        network = self._compressed(plan)
        learned = [p for method, _ in parts for p in method.surgery().learned(network)]
        nonzero = _nonzeros(network.parameters()) - _nonzeros(learned)
        return float(nonzero if budget.most else nonzero + sum(p.numel() for p in learned))

    def _compressed(self, plan: Plan) -> nn.Module:
        setup = self._setup
        sample = setup.data.train.inputs(slice(1))
        return compress(setup.parent, plan, setup.adapter, Manner(samples=sample))

    def _counted(self, plan: Plan) -> Workload:
        """The compressed network, not trained yet, on the samples on which trials are counted."""
        setup, network = self._setup, self._compressed(plan)
        samples = setup.data.validation.inputs(slice(setup.census_samples))
        samples = samples.to(next(network.parameters()).device)
        return count(network, setup.adapter, samples, activity=False)


def _nonzeros(parameters: Iterable[Tensor]) -> int:
    return sum(int(torch.count_nonzero(parameter)) for parameter in parameters)
