"""The goals of a study, as its search takes them."""

from __future__ import annotations

from typing import final

from autoprune.compress.plan import Plan
from autoprune.runs.budget import Excess
from autoprune.runs.metrics import MACHINE_METRICS, charges, metric_value, split_metric
from autoprune.runs.outcome import Charges
from autoprune.runs.own_work import beyond
from autoprune.study.build import Built
from autoprune.sweep.limits import Budgets
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup


@final
class StudyGoals:
    """Objectives, charges and budgets on the machines of a study; see `Goals`.

    Args:
        built: the study. setup: of its trials, which says what a plan alone decides.
    """

    def __init__(self, built: Built, setup: Setup) -> None:
        self.metrics, self.score = built.objectives, built.score
        self._machines = built.machines
        self._budgets = Budgets(built.budgets, built.machines, setup)

    def objectives(self, measurement: Measurement) -> list[float]:
        """The value of every objective."""
        return [metric_value(metric, measurement, self._machines) for metric in self.metrics]

    def charges(self, measurement: Measurement) -> Charges:
        """What every machine charges that can."""
        return charges(measurement, self._machines)

    def excess(self, measurement: Measurement) -> Excess:
        """How far it is beyond every budget."""
        return self._budgets.of(measurement)

    def own_work(self, charges: Charges, parent: Charges) -> Excess:
        """How far a network is from an answer, on the machines whose costs are objectives."""
        found = map(split_metric, self.metrics)
        asked = dict.fromkeys(m for name, m in found if m and name in MACHINE_METRICS)
        own, of_parent = dict(charges), dict(parent)
        pairs = ((f"own_work@{m}", beyond(self._machines[m], own[m], of_parent[m])) for m in asked)
        return tuple((name, by) for name, by in pairs if by is not None)

    def known_excess(self, plan: Plan) -> Excess:
        """How far it will be, of budgets that training cannot change."""
        return self._budgets.known(plan)
