"""event_driven: a chip of asynchronous cores that works only where a spike arrives.

Energy of one inference, every action at its own price:

    E = SOPs * E_sop + active updates * E_active + inactive updates * E_inactive
        + messages * E_spike + output spikes * E_neuron_spike

- SOPs: events times nonzero weights. An integer n is n spike messages.
- Messages: one per event that an operation reads, within a tile, also where the event is read by
  several cores. Hops between tiles depend on a placement that is not modelled.
- Attention multiplies two activations, which the chip cannot: emulated by one synaptic operation
  per coincidence, in the machine's attention order. Binary operands arrive as messages; the
  intermediate integers stay in the emulating cores.
- Updates: every neuron once per time step, active where its synapses added something.
- Operations on real numbers, and the neurons that they drive, run on a host, outside the total.

What a machine calls unsupported makes the total and the latency unknown.

Placement, one operation after the other, no core shared by two:

    cores = max(neurons / neurons per core, synapse bits / bits per core,
                input axons / axons in per core, neurons / axons out per core), rounded up

where synapse bits are nonzero weights times the machine's weight bits, times the M positions at
which they are applied: synapse lists are private to neurons, unless `weight_sharing = "shared"`.
Index overhead of the lists is not counted, nor that a convolution's border has fewer synapses.
Input axons are the entries of A in one time step. Attention products hold no static synapses.

Time of one step: the slowest core plus the barrier, one price however many tiles or chips take
part. The load of an operation is taken as equal in all its cores, its neuron updates (and events of
a second binary operand) as equal in all steps, and both are the mean over samples.

    t = max over operations((SOPs * t_sop + active * t_active + inactive * t_inactive
        + messages * t_spike) / cores) + t_barrier

A neuron that spikes takes its own time beside its update (0 where the source has none). Inference
is the sum over the steps. Static power of the chips stands apart and is not part of the energy.

Reference: Davies et al., "Loihi: A Neuromorphic Manycore Processor with On-Chip Learning",
IEEE Micro 38(1), 2018, Table 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

_CAUSES = {
    "synaptic_operation": ("synaptic operations", "events x nonzero weights, or coincidences"),
    "update_active": ("active neuron updates", "updates of neurons that received something"),
    "update_inactive": ("inactive neuron updates", "updates of all other neurons"),
    "spike_message": ("spike messages", "events of the binary operands"),
    "neuron_spike": ("spiking neurons", "spikes that neurons send"),
}


@final
class EventDriven(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = {
        **dict.fromkeys(_CAUSES, "pJ"),
        **{f"{action}_time": "ns" for action in _CAUSES},
        "barrier_time": "ns",
    }
    PARAMETERS: ClassVar = {
        "neurons_per_core": "count",
        "synapse_memory_per_core": "KiB",
        "axons_in_per_core": "count",
        "axons_out_per_core": "count",
        "cores_per_chip": "count",
        "static_power": "mW",
    }
    CHOICES: ClassVar = {
        "attention_order": ("executed", "published"),
        "weight_sharing": ("private", "shared"),
    }
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("skip",),
        "weight_sparsity": ("skip",),
        "real_input": ("host", "unsupported"),
        "dynamic_product": ("emulated", "unsupported"),
        "integer_spike": ("native", "emulated", "unsupported"),
        "neuron": ("native", "unsupported"),
    }

    def actions(self, ops: Ops) -> Iterator[Action]:
        """Everything that happens where a spike arrives, and the updates of all neurons."""
        counts = {
            "synaptic_operation": ops.effective_sops,
            "update_active": ops.updates_active,
            "update_inactive": ops.updates_inactive,
            "spike_message": ops.a_events + _second_events(ops),
            "neuron_spike": ops.output_spikes,
        }
        for action, (cause, rule) in _CAUSES.items():
            yield Action(action, counts[action], cause, rule)

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Latency, cores and chips."""
        cores = self.cores(ops)
        used = ops.total(cores)
        chips = np.ceil(used / self.quantity("cores_per_chip"))
        return {
            "latency_us": self._latency_ns(ops, cores) * 1e-3,
            "cores": used,
            "chips": chips,
            "static_power_mw": chips * self.quantity("static_power"),
        }

    def cores(self, ops: Ops) -> Column:
        """Cores that an operation and the neurons behind it occupy; at least one."""
        copies = 1 if self.machine.choices["weight_sharing"] == "shared" else ops.m
        synapses = np.where(ops.static, ops.b_nonzeros * copies, 0.0)
        memory = self.quantity("synapse_memory_per_core") * 8192
        loads = (
            ops.neurons / self.quantity("neurons_per_core"),
            synapses * self.weight_bits(ops) / memory,
            ops.a_size / ops.time_steps / self.quantity("axons_in_per_core"),
            ops.neurons / self.quantity("axons_out_per_core"),
        )
        return np.maximum(1.0, np.ceil(np.max(loads, axis=0)))

    def _latency_ns(self, ops: Ops, cores: Column) -> Column:
        """Step by step, in order: the slowest core, and the barrier."""
        busy = ops.most(self._busy_ns(ops, cores))
        total = np.zeros(ops.workloads)
        for step in range(int(ops.steps.max(initial=0))):
            slowest = busy[:, step] if step < busy.shape[1] else 0.0
            total += np.where(step < ops.steps, slowest + self.value("barrier_time"), 0.0)
        return total

    def _busy_ns(self, ops: Ops, cores: Column) -> Column:
        """Time that each core of an operation works in each step, [rows, T]."""
        steps = ops.time_steps[:, None]
        runs = np.arange(ops.events_per_step.shape[1]) < steps

        def spread(counts: Column) -> Column:
            return np.where(runs, counts[:, None] / steps, 0.0)

        actions = {
            "synaptic_operation": ops.effective_sops_per_step,
            "spike_message": ops.events_per_step + spread(_second_events(ops)),
            "update_active": spread(ops.updates_active),
            "update_inactive": spread(ops.updates_inactive),
            "neuron_spike": spread(ops.output_spikes),
        }
        work = [count * self.value(f"{action}_time") for action, count in actions.items()]
        return (work[0] + work[1] + work[2] + work[3] + work[4]) / cores[:, None]


def _second_events(ops: Ops) -> Column:
    """Events of an attention product's other operand, where they arrive as spikes too."""
    return np.where(ops.b_class == "binary", ops.b_events, 0.0)
