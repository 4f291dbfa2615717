"""Outcomes on a machine: measured with its bits, and what they cost there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autoprune.cost.cost import Cost
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.cost.pricing import Costs
from autoprune.measurement import Measurement, Precision
from autoprune.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measured network on a machine.

    Attributes:
        outcome: how it ended. measurement: of it.
        measured: with weights of the machine's bits.
        energy_uj: per inference.
        costs: of all networks that were priced with it. place: of this one there.
    """

    outcome: Outcome
    measurement: Measurement
    measured: Precision
    energy_uj: float
    costs: Costs
    place: int

    @property
    def cost(self) -> Cost:
        """All that is known of the cost."""
        return self.costs.cost(self.place)


def price_outcomes(
    outcomes: Sequence[Outcome], model: CostModel
) -> tuple[list[Measured], dict[str, str]]:
    """Those outcomes that have a measurement, on a machine; and why others are infeasible there.

    A network is infeasible where it needs what the machine cannot do in any way; the reason names
    the operation.

    Raises UnknownCost where a rule of the machine fails.
    """
    pairs = [(o, o.measurement) for o in outcomes if o.measurement is not None]
    measured = [measurement.at(model.machine.weight_bits) for _, measurement in pairs]
    costs = model.price_all(Ops.of([precision.workload for precision in measured]))
    feasible, infeasible = [], {}
    for place, (outcome, measurement) in enumerate(pairs):
        if math.isnan(costs.energy_uj[place]):
            infeasible[outcome.key] = ", ".join(u.action for u in costs.cost(place).unpriced)
            continue
        feasible.append(
            Measured(
                outcome=outcome,
                measurement=measurement,
                measured=measured[place],
                energy_uj=float(costs.energy_uj[place]),
                costs=costs,
                place=place,
            )
        )
    return feasible, infeasible
