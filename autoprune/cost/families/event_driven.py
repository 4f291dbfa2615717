"""event_driven: a chip of asynchronous cores that works only where a spike arrives.

Energy of one inference, every action at its own price:

    E = SOPs * E_sop + active updates * E_active + inactive updates * E_inactive
        + messages * E_spike + output spikes * E_neuron_spike

- SOPs: events times nonzero weights. An integer n is n spike messages. A convolution's, those of
  a list of nonzero weights and those of a list of all weights have prices of their own, and a
  linear layer has the list with which it is faster: that of all weights is walked over its zeros.
- Messages: one per event that an operation reads, within a tile, also where the event is read by
  several cores. Hops between tiles depend on a placement that is not modelled.
- Attention multiplies two activations, which the chip cannot: emulated by one synaptic operation
  per coincidence, in the machine's attention order. Binary operands arrive as messages; the
  intermediate integers stay in the emulating cores.
- Updates: every neuron once per time step, active where its synapses added something.
- Operations on real numbers, and the neurons that they drive, run on a host, outside the total.

What a machine calls unsupported makes the total and the latency unknown.

Placement: no core is shared by two operations. Each needs at least

    cores = max(neurons / neurons per core, synapse bits / bits per core,
                input axons / axons in per core, neurons / axons out per core), rounded up

where synapse bits are the list's weights times the machine's weight bits, times the M positions at
which they are applied: synapse lists are private to neurons, unless `weight_sharing = "shared"`.
Index overhead of the lists is not counted, nor that a convolution's border has fewer synapses.
Input axons are the entries of A in one time step. Attention products hold no static synapses.

These make up the chips that are needed. All their cores are then shared out by time: every
operation gets as many as it takes that the longest works as short as can be, at most one per
neuron (or per output, where no neurons follow). On as many chips more work is never faster; a
network that needs another chip may be.

Time of one step: the slowest core plus the barrier, one price however many tiles or chips take
part. The load of an operation is taken as equal in all its cores, its neuron updates (and events of
a second binary operand) as equal in all steps, and both are the mean over samples.

    t = max over operations((SOPs * t_sop + active * t_active + inactive * t_inactive) / cores
        + messages * t_spike / min(cores, D)) + t_barrier

where D are the parts of an operation that have no event in common: its M positions times groups
and heads, and the N columns of a second binary operand. Cores that share a part hear all of it.

A neuron that spikes takes its own time beside its update (0 where the source has none). Inference
is the sum over the steps. To the energy above comes what the chips take all that time:

    E_static = chips * static power * time of one inference

Reference: Davies et al., "Loihi: A Neuromorphic Manycore Processor with On-Chip Learning",
IEEE Micro 38(1), 2018, Table 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.cost import KIB
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.cost.placement import Work, shared_out
from autoprune.workload.columns import Column

_SYNAPSES = {
    "synaptic_operation": "events x all weights of the list, or coincidences",
    "sparse_synapse": "events x nonzero weights",
    "kernel_synapse": "events x nonzero weights of a kernel",
}
_CAUSES = {
    **{name: ("synaptic operations", rule) for name, rule in _SYNAPSES.items()},
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
        "static_power": "mW",
    }
    PARAMETERS: ClassVar = {
        "neurons_per_core": "count",
        "synapse_memory_per_core": "KiB",
        "axons_in_per_core": "count",
        "axons_out_per_core": "count",
        "cores_per_chip": "count",
    }
    CHOICES: ClassVar = {
        "attention_order": ("executed", "published"),
        "weight_sharing": ("private", "shared"),
    }
    FORMATS: ClassVar = ("dense",)
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("skip",),
        "weight_sparsity": ("skip",),
        "real_input": ("host", "unsupported"),
        "dynamic_product": ("emulated", "unsupported"),
        "integer_spike": ("native", "emulated", "unsupported"),
        "neuron": ("native", "unsupported"),
        "real_times_spike": ("ac", "host"),
    }

    def actions(self, ops: Ops) -> Iterator[Action]:
        """Everything that happens where a spike arrives, and the updates of all neurons."""
        counts = {
            **self._synaptic_operations(ops, ops.a_events, ops.effective_sops),
            "update_active": ops.updates_active,
            "update_inactive": ops.updates_inactive,
            "spike_message": ops.a_events + _second_events(ops),
            "neuron_spike": ops.output_spikes,
        }
        for action, (cause, rule) in _CAUSES.items():
            yield Action(action, counts[action], cause, rule)

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Latency, cores and chips that are needed, and the static power of these."""
        needed = ops.total(self.cores(ops))
        chips = np.ceil(needed / self.quantity("cores_per_chip"))
        return {
            "latency_us": self._latency_ns(ops, chips) * 1e-3,
            "cores": needed,
            "chips": chips,
            "static_power_mw": chips * self.value("static_power"),
        }

    def stored(self, ops: Ops) -> Mapping[str, Column]:
        """Bits of the synapse lists, with all their copies."""
        copies = 1 if self.machine.choices["weight_sharing"] == "shared" else ops.m
        listed = np.where(self._in_full(ops), ops.b_size, ops.b_nonzeros) * copies
        return {"as synapse lists": np.where(ops.static, listed * self.weight_bits(ops), 0.0)}

    def cores(self, ops: Ops) -> Column:
        """Cores that an operation and the neurons behind it need; at least one."""
        loads = (
            ops.neurons / self.quantity("neurons_per_core"),
            self.storage(ops) / (self.quantity("synapse_memory_per_core") * KIB),
            ops.a_size / ops.time_steps / self.quantity("axons_in_per_core"),
            ops.neurons / self.quantity("axons_out_per_core"),
        )
        return np.maximum(1.0, np.ceil(np.max(loads, axis=0)))

    def placed(self, ops: Ops, work: Work, chips: Column) -> Column:
        """Cores of each operation where so many chips are shared out by time.

        Args:
            ops: the operations.
            work: of each in one inference, [rows].
            chips: of each workload.
        """
        least = self.cores(ops)
        outputs = np.where(ops.neurons > 0, ops.neurons, ops.m * ops.n * ops.groups * ops.heads)
        bounds = least, np.maximum(least, outputs)
        return shared_out(ops, work, bounds, chips * self.quantity("cores_per_chip"))

    def _in_full(self, ops: Ops) -> Column:
        """Linear layers that are faster with a list of all weights than of the nonzero ones."""
        full = ops.fanout_sops * self.value("synaptic_operation_time")
        sparse = ops.effective_sops * self.value("sparse_synapse_time")
        return (ops.kind == "linear") & (full < sparse)

    def _synaptic_operations(
        self, ops: Ops, events: Column, effective: Column
    ) -> dict[str, Column]:
        """Energy of each kind of synapse, out of events and effective ones, [rows] or [rows, T]."""
        shape = (-1, *[1] * (events.ndim - 1))
        full = self._in_full(ops).reshape(shape)
        conv = (ops.kind == "conv").reshape(shape)
        static = ops.static.reshape(shape)
        all_weights = np.where(full, events * ops.n.reshape(shape), effective)
        return {
            "synaptic_operation": np.where(full | ~static, all_weights, 0.0),
            "sparse_synapse": np.where(static & ~full & ~conv, effective, 0.0),
            "kernel_synapse": np.where(conv, effective, 0.0),
        }

    def _latency_ns(self, ops: Ops, chips: Column) -> Column:
        """Step by step, in order: the slowest core, and the barrier."""
        work = self._work(ops)
        cores = self.placed(ops, work.whole(), chips)
        busy = ops.most(work.on(cores[:, None]))
        total = np.zeros(ops.workloads)
        for step in range(int(ops.steps.max(initial=0))):
            slowest = busy[:, step] if step < busy.shape[1] else 0.0
            total += np.where(step < ops.steps, slowest + self.value("barrier_time"), 0.0)
        return total

    def _work(self, ops: Ops) -> Work:
        """What an operation has to do in each step, [rows, T]."""
        steps = ops.time_steps[:, None]
        runs = np.arange(ops.events_per_step.shape[1]) < steps

        def spread(counts: Column) -> Column:
            return np.where(runs, counts[:, None] / steps, 0.0)

        counts = {
            **self._synaptic_operations(ops, ops.events_per_step, ops.effective_sops_per_step),
            "update_active": spread(ops.updates_active),
            "update_inactive": spread(ops.updates_inactive),
            "neuron_spike": spread(ops.output_spikes),
        }
        own = np.zeros(ops.events_per_step.shape)
        for action, count in counts.items():
            own = own + count * self.value(f"{action}_time")
        message = self.value("spike_message_time")
        return Work(
            own=own,
            first=ops.events_per_step * message,
            second=spread(_second_events(ops)) * message,
            positions=(ops.m * ops.groups * ops.heads)[:, None],
            columns=(ops.n * ops.heads)[:, None],
        )


def _second_events(ops: Ops) -> Column:
    """Events of an attention product's other operand, where they arrive as spikes too."""
    return np.where(ops.b_class == "binary", ops.b_events, 0.0)
