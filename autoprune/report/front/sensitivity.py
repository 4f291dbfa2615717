"""How much a result hangs on each price: total and front, when one price at a time moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from autoprune.cost.costs import STATIC_PRICE
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.report.front.order import kendall_tau
from autoprune.runs.own_work import own_work
from autoprune.runs.pareto import non_dominated
from autoprune.workload.columns import Column
from autoprune.workload.workload import Workload

if TYPE_CHECKING:
    from autoprune.runs.folder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What one price that moved does.

    Attributes:
        price: its name. factor: by which it was multiplied.
        energy_uj: of each workload, with it.
        kept: members of the front that stay on it. members: how many it has. joined: trials that
            join it.
        order: Kendall's tau-b of the members' energies before and after: 1 where their order
            stays; None with fewer than two.
    """

    price: str
    factor: float
    energy_uj: Column
    kept: int
    members: int
    joined: int
    order: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How much a workload's energy on a machine, and the front of its run, hang on each price.

    Attributes:
        machine: its name. energy_uj: of the workload, per inference; not a number where an action
            has no price.
        moves: what each price does to the workload. of_front: what it does to the trials of the
            run, in the same order; None of a workload that is of no run.
    """

    machine: str
    energy_uj: float
    moves: tuple[Moved, ...]
    of_front: tuple[Moved, ...] | None = None


def sensitivity(model: CostModel, ops: Ops, worth: Column, share: float) -> Iterator[Moved]:
    """Every price less and more by `share`, one at a time; the others stay.

    Args:
        model: the machine.
        ops: of the workloads.
        worth: the score that is expected of each; not a number of one that is on no front.
        share: such as 0.5 for 50 %.
    """
    costs = model.price_all(ops)
    before = costs.energy_uj
    answers = own_work(model, before, costs.host_share)
    front = _front(worth, before, answers)
    for price in model.machine.prices:
        if price.unit == "ns" and STATIC_PRICE not in model.PRICES:
            continue  # time is no energy there
        members = sorted(front)
        for factor in (1 - share, 1 + share):
            changed = tuple(
                replace(p, value=p.value * factor) if p is price else p
                for p in model.machine.prices
            )
            machine = replace(model.machine, prices=changed)
            after = type(model)(machine).price_all(ops).energy_uj
            now = _front(worth, after, answers)
            yield Moved(
                price=price.name,
                factor=factor,
                energy_uj=after,
                kept=len(front & now),
                members=len(front),
                joined=len(now - front),
                order=kendall_tau(before[members], after[members]),
            )


def read_sensitivity(
    model: CostModel, workload: Workload, share: float, run: RunFolder | None
) -> Sensitivity:
    """The sensitivity of a workload, and of the front of the run that it is of."""
    from autoprune.runs.columns import TrialColumns  # pyarrow: only where a run is read

    ops = Ops.of([workload])
    of_front = None
    if run is not None:
        trials = TrialColumns(run)
        whole, _ = trials.at(*model.machine.precision)
        of_front = tuple(sensitivity(model, whole, trials.on(model).worth, share))
    return Sensitivity(
        machine=model.machine.name,
        energy_uj=float(model.price_all(ops).energy_uj[0]),
        moves=tuple(sensitivity(model, ops, np.zeros(1), share)),
        of_front=of_front,
    )


def _front(worth: Column, energy: Column, answers: Column) -> set[int]:
    """Places of the front's members among answers."""
    pairs = enumerate(zip(worth.tolist(), energy.tolist(), strict=True))
    known = [(i, pair) for i, pair in pairs if answers[i] and not np.isnan(pair[0])]
    return {known[index][0] for index in non_dominated([pair for _, pair in known])}
