"""all_in: one published price per synaptic operation, in which everything on a chip is.

    E = synaptic operations * price

Synaptic operations are events times nonzero weights; an integer n is n events. Attention, which
multiplies two activations, is emulated by one operation per coincidence, in the machine's order.
Memory, updates of neurons, communication and static power are in the price, as they were at the
operating point at which it was stated: another network, rate or voltage has another. Each
publication counts operations of its own, so that such prices rank no chips. There is no time.

Operations on real numbers, and the neurons that they drive, run on a host, outside the total.

Reference: Tang et al., "SENECA: building a fully digital neuromorphic processor, design trade-offs
and challenges", Front. Neurosci. 17, 2023, Table 3, and the publications that it cites.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, final

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.errors import InputError


@final
class AllIn(CostModel):
    """The formula of this module's docstring; no latency, no area."""

    PRICES: ClassVar = {"synaptic_operation": "pJ"}
    CHOICES: ClassVar = {"attention_order": ("executed", "published")}
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("skip",),
        "weight_sparsity": ("skip",),
        "real_input": ("host", "unsupported"),
        "dynamic_product": ("emulated", "host", "unsupported"),
        "integer_spike": ("native", "emulated", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("ac", "host"),
    }

    def check(self) -> None:
        """The price is all-in; InputError where it is that of one term."""
        price = self.machine_price("synaptic_operation")
        if price.scope != "all_in":
            where = f"{self.machine.where}: prices.{price.name}"
            raise InputError(where, f"scope {price.scope!r}", "'all_in'; else family event_driven")

    def actions(self, ops: Ops) -> Iterator[Action]:
        """Synaptic operations, and nothing beside them."""
        rule = "events x nonzero weights, or coincidences"
        yield Action("synaptic_operation", ops.effective_sops, "synaptic operations", rule)
