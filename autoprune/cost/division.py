"""Division: which operations a machine does itself, and which it leaves to a host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from autoprune.cost.cost import KIB
from autoprune.cost.host import REASONS
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

if TYPE_CHECKING:
    from autoprune.cost.model import CostModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """The operations of many workloads between a machine and its host.

    Attributes:
        model: the machine. every: the operations in its order. hosted: those that a host does.
        own: those that it does itself, as its rules see them.
    """

    model: CostModel
    every: Ops
    hosted: Column
    own: Ops

    @property
    def host_share(self) -> Column:
        """Share of each network's dense MACs that the host does, 0 to 1."""
        every = self.every
        whole = every.total(every.dense_macs) + every.uncounted
        hosted = every.total(np.where(self.hosted, every.dense_macs, 0.0))
        return np.divide(hosted, whole, out=np.zeros(len(whole)), where=whole > 0)

    @property
    def memory_kib(self) -> Column:
        """Weights and membranes that the machine holds, per workload."""
        held = self.model.storage(self.own) + self.model.state(self.own)
        return self.own.total(held) / KIB


def divide(model: CostModel, ops: Ops) -> Division:
    """The operations of workloads, those of attention in the machine's order."""
    words, every = model.machine.capabilities.model_dump(), ops.select(model.order)
    hosted = left_to_host(model, every)
    own = every.take(~hosted)
    if words["neuron"] == "host":
        own = own.without_neurons()
    if words["real_times_spike"] == "mac":
        own = own.with_macs(needs(own)["real_times_spike"])
    return Division(model=model, every=every, hosted=hosted, own=own)


def left_to_host(model: CostModel, ops: Ops) -> Column:
    """Which operations a machine leaves to a host, and the neurons that they drive with them."""
    words, needed = model.machine.capabilities.model_dump(), needs(ops)
    hosted: Column = np.isin(ops.kind, model.LEFT_TO_HOST)
    for name in REASONS:
        if words[name] == "host":
            hosted = hosted | needed[name]
    return hosted


def needs(ops: Ops) -> dict[str, Column]:
    """Which operations call for which of `Capabilities`, by its name."""
    return {
        "real_input": ops.a_class == "real",
        "dynamic_product": np.isin(ops.kind, ("attention_product", "masking")),
        "integer_spike": np.isin(ops.a_class, ("integer", "ternary")),
        "neuron": ops.neurons > 0,
        "real_times_spike": (ops.b_class == "real") & (ops.a_class != "real"),
    }
