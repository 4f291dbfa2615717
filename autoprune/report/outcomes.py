"""Outcomes on a machine: measured with its bits, and what they cost there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoprune.cost.cost import Cost, UnknownCost
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.cost.pricing import Costs
from autoprune.measurement import Measurement, Precision
from autoprune.metrics import energy_uj
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


def price_outcomes(outcomes: Sequence[Outcome], model: CostModel) -> list[Measured]:
    """Those outcomes that have a measurement, on a machine.

    Raises UnknownCost where it cannot price one, with its trial where it is one alone.
    """
    pairs = [(o, o.measurement) for o in outcomes if o.measurement is not None]
    measured = [measurement.at(model.machine.weight_bits) for _, measurement in pairs]
    costs = model.price_all(Ops.of([precision.workload for precision in measured]))
    for place in np.flatnonzero(np.isnan(costs.energy_uj)).tolist():
        try:
            energy_uj(costs.cost(place))
        except UnknownCost as error:
            raise UnknownCost(f"trial {pairs[place][0].key} on {error}") from error
    return [
        Measured(
            outcome=outcome,
            measurement=measurement,
            measured=precision,
            energy_uj=energy,
            costs=costs,
            place=place,
        )
        for place, ((outcome, measurement), precision, energy) in enumerate(
            zip(pairs, measured, costs.energy_uj.tolist(), strict=True)
        )
    ]
