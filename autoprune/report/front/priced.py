"""Outcomes on a machine: measured with its bits, and what they cost there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autoprune.compress.plan import Plan
from autoprune.cost.arithmetic import words
from autoprune.cost.cost import NO_PRICE, Cost
from autoprune.cost.costs import Costs
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.networks.granularity import finest_of
from autoprune.runs.outcome import Charge, Head, Outcome
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement, Precision

AT_A_TIME = 256
"""So many trials are in memory with their operations while they are priced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measured network on a machine.

    Attributes:
        outcome: how it ended. measurement: of it.
        measured: with weights of the machine's bits.
        energy_uj: per inference. host_share: of the dense MACs, done by a host.
        costs: of all networks that were priced with it. place: of this one there.
    """

    outcome: Outcome
    measurement: Measurement
    measured: Precision
    energy_uj: float
    host_share: float
    costs: Costs
    place: int

    @property
    def cost(self) -> Cost:
        """All that is known of the cost."""
        return self.costs.cost(self.place)


def price_outcomes(
    outcomes: Sequence[Outcome], model: CostModel
) -> tuple[list[Measured], dict[TrialKey, str]]:
    """Those outcomes that have a measurement, on a machine; and why others are infeasible there.

    A network is infeasible where it needs what the machine cannot do in any way; the reason names
    the operation, or what its neurons would have to hold.

    Raises UnknownCost where a rule of the machine fails.
    """
    pairs = [(o, o.measurement) for o in outcomes if o.measurement is not None]
    measured = [measurement.at(*model.machine.precision) for _, measurement in pairs]
    costs = model.price_all(Ops.of([precision.workload for precision in measured]))
    feasible, infeasible = [], {}
    shares = costs.host_share.tolist()
    for place, (outcome, measurement) in enumerate(pairs):
        if math.isnan(costs.energy_uj[place]):
            infeasible[outcome.key] = ", ".join(u.action for u in costs.cost(place).unpriced)
            continue
        asked = measurement.plan.granularities
        if lacking := model.machine.lacks(asked):
            infeasible[outcome.key] = ", ".join(words(what, asked[what]) for what in lacking)
            continue
        feasible.append(
            Measured(
                outcome=outcome,
                measurement=measurement,
                measured=measured[place],
                energy_uj=float(costs.energy_uj[place]),
                host_share=shares[place],
                costs=costs,
                place=place,
            )
        )
    return feasible, infeasible


def left_out(model: CostModel, plans: Iterable[Plan]) -> tuple[str, ...]:
    """What a machine's totals leave out, and what plans ask of its neurons that is not known."""
    asked = finest_of(found for plan in plans for found in plan.granularities.items())
    unknown = model.machine.neurons.unknown(asked)
    line = f"whether its neurons hold {' and '.join(unknown)}: not known"
    return (*model.machine.not_modelled, *([line] if unknown else []))


class Charged(NamedTuple):
    """Energy of a trial on a machine per inference, and the share of it that a host does."""

    energy_uj: float
    host_share: float


def charged(
    heads: Sequence[Head], model: CostModel, read: Callable[[TrialKey], Outcome]
) -> tuple[dict[TrialKey, Charged], dict[TrialKey, str]]:
    """What a machine charges for those trials that were measured, and why others are infeasible.

    In the order of `heads`. What this very machine charged while the run went on is taken as it was
    recorded; the rest is read and priced, a part at a time.

    Raises UnknownCost where a rule of the machine fails.
    """
    if not model.PRICED:
        return {}, {head.key: NO_PRICE.action for head in heads if head.scores}
    name, fingerprint = model.machine.name, model.fingerprint
    found = {head.key: _recorded(head.charge(name, fingerprint)) for head in heads if head.scores}
    unknown = [key for key, charge in found.items() if charge is None]
    infeasible: dict[TrialKey, str] = {}
    for first in range(0, len(unknown), AT_A_TIME):
        outcomes = [read(key) for key in unknown[first : first + AT_A_TIME]]
        priced, missing = price_outcomes(outcomes, model)
        found |= {item.outcome.key: Charged(item.energy_uj, item.host_share) for item in priced}
        infeasible |= missing
    return {key: charge for key, charge in found.items() if charge is not None}, infeasible


def _recorded(charge: Charge | None) -> Charged | None:
    if charge is None or charge.energy_uj is None or charge.host_share is None:
        return None
    return Charged(charge.energy_uj, charge.host_share)
