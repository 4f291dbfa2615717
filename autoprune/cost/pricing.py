"""Price many workloads on one machine at once: who does what, what it costs, and is it a number.

Energy is count times price in float64, per operation and action, and where chips take power all the
time that power times the latency; what a host does is in it where that is asked for. Totals are
exactly rounded sums (`math.fsum`), so that neither their order nor how many workloads are priced
together matters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from autoprune.cost.cost import UnknownCost
from autoprune.cost.costs import STATIC_PRICE, Costs
from autoprune.cost.division import divide, needs
from autoprune.cost.host import host_work
from autoprune.cost.ops import Ops
from autoprune.cost.rule import carried_out, checked_action, checked_figure
from autoprune.workload.columns import Column

if TYPE_CHECKING:
    from autoprune.cost.model import CostModel


def price_all(model: CostModel, ops: Ops) -> Costs:
    """See `CostModel.price_all`."""
    words = model.machine.capabilities.model_dump()
    division = divide(model, ops)
    every, mine = division.every, division.own
    needed = needs(every)
    unsupported = {n: rows for n, rows in needed.items() if words[n] == "unsupported"}
    work = host_work(model.machine, every, division.hosted)
    actions = carried_out(model, lambda: tuple(model.actions(mine)))
    checked = tuple(checked_action(model, mine, action) for action in actions)
    energies = tuple(action.count * model.value(action.price) for action in checked)
    unknown = np.full(ops.workloads, not model.PRICED)
    for rows in unsupported.values():
        unknown[every.workload[rows]] = True
    outside = np.zeros(len(every))
    if model.machine.price_host:
        unknown[every.workload[work.unpriced]] = True
        outside = work.energy_pj
    figures = {
        name: checked_figure(model, name, values, ops.workloads)
        for name, values in carried_out(model, lambda: dict(model.figures(mine))).items()
    }
    static = _static_pj(model, figures, ops.workloads)
    sums = _sums((mine, energies), (every, outside), static)
    return Costs(
        model=model,
        division=division,
        actions=checked,
        energies_pj=energies,
        energy_uj=np.where(unknown, np.nan, sums * 1e-6),
        static_pj=static,
        figures={name: np.where(unknown, np.nan, values) for name, values in figures.items()},
        unsupported=unsupported,
        host=work,
    )


def _static_pj(model: CostModel, figures: Mapping[str, Column], workloads: int) -> Column:
    """Static power times latency of each workload in picojoules; 0 where no static power is."""
    if "static_power_mw" not in figures:
        return np.zeros(workloads)
    if "latency_us" not in figures or STATIC_PRICE not in model.PRICES:
        raise UnknownCost(
            f"{model.machine.where}: static_power_mw is given; expected latency_us with it, and "
            f"{STATIC_PRICE} in mW among PRICES"
        )
    return figures["static_power_mw"] * figures["latency_us"] * 1e3


def _sums(own: tuple[Ops, tuple[Column, ...]], host: tuple[Ops, Column], static: Column) -> Column:
    """Energy of each workload in picojoules: of operations by action, of the host, of static power.

    In one exactly rounded sum.
    """
    lists, outside = [energy.tolist() for energy in own[1]], host[1].tolist()
    return np.array(
        [
            math.fsum([still, *(value for energy in lists for value in energy[a:b]), *outside[c:d]])
            for still, (a, b), (c, d) in zip(
                static.tolist(), own[0].spans(), host[0].spans(), strict=True
            )
        ]
    )
