"""event_driven: a chip of asynchronous cores that works only where a spike arrives.

Energy of one inference, every action at its own price:

    E = SOPs * E_sop + active updates * E_active + inactive updates * E_inactive
        + messages * E_spike

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

Inference is the sum over the steps. Static power is not part of the energy.

Reference: Davies et al., "Loihi: A Neuromorphic Manycore Processor with On-Chip Learning",
IEEE Micro 38(1), 2018, Table 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import ClassVar, cast, final

from autoprune.cost.cost import Cost, HostOperation, Term
from autoprune.cost.model import CostModel
from autoprune.op import Op, Order
from autoprune.workload import Workload

_CAUSES = {
    "synaptic_operation": "synaptic operations",
    "update_active": "active neuron updates",
    "update_inactive": "inactive neuron updates",
    "spike_message": "spike messages",
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

    def price(self, workload: Workload) -> Cost:
        """Energy, latency, cores and chips of one inference."""
        order = cast(Order, self.machine.choices["attention_order"])
        ops = list(workload.select(order))
        on_chip = [op for op in ops if op.a_class != "real"]
        unsupported = self.unsupported(ops)
        cores = sum(self.cores(op, workload.samples) for op in on_chip)
        return Cost(
            machine=self.machine.name,
            terms=tuple(term for op in on_chip for term in self._terms(op, workload.samples)),
            latency_us=None if unsupported else self._latency_ns(on_chip, workload) * 1e-3,
            cores=cores,
            chips=math.ceil(cores / self.quantity("cores_per_chip").value),
            host=tuple(
                HostOperation(
                    name=f"{op.name}: real-valued input"
                    + (f", with {op.neurons} neurons" if op.neurons else ""),
                    dense_macs=op.dense_macs / workload.samples,
                    share=workload.share_of_dense_macs(op.dense_macs),
                )
                for op in ops
                if op.a_class == "real"
            ),
            emulated=self.emulated(on_chip),
            unpriced=unsupported,
        )

    def cores(self, op: Op, samples: int) -> int:
        """Cores that an operation and the neurons behind it occupy; at least one."""
        per_core = {q.name: q.value for q in self.machine.parameters}
        copies = 1 if self.machine.choices["weight_sharing"] == "shared" else op.m
        synapses = op.b_nonzeros * copies if op.b_class == "weight" else 0
        axons = op.a_size / (samples * op.time_steps)
        loads = (
            op.neurons / per_core["neurons_per_core"],
            synapses * self.machine.weight_bits / (per_core["synapse_memory_per_core"] * 8192),
            axons / per_core["axons_in_per_core"],
            op.neurons / per_core["axons_out_per_core"],
        )
        return max(1, math.ceil(max(loads)))

    def _terms(self, op: Op, samples: int) -> Iterable[Term]:
        for action, count in _actions(op).items():
            if count:
                yield Term(
                    cause=_CAUSES[action],
                    op=op.name,
                    price=action,
                    count=count / samples,
                    energy_pj=count / samples * self.value(action),
                )

    def _latency_ns(self, ops: list[Op], workload: Workload) -> float:
        barrier = self.value("barrier_time")
        return sum(
            max((self._busy_ns(op, step, workload.samples) for op in ops), default=0.0) + barrier
            for step in range(workload.time_steps)
        )

    def _busy_ns(self, op: Op, step: int, samples: int) -> float:
        """Time that each core of an operation works in one step."""
        if step >= op.time_steps:
            return 0.0
        actions = {
            "synaptic_operation": op.effective_sops_per_step[step],
            "spike_message": op.events_per_step[step] + _second_events(op) / op.time_steps,
            "update_active": op.updates_active / op.time_steps,
            "update_inactive": op.updates_inactive / op.time_steps,
        }
        work = sum(count * self.value(f"{action}_time") for action, count in actions.items())
        return work / samples / self.cores(op, samples)


def _actions(op: Op) -> dict[str, int]:
    return {
        "synaptic_operation": op.effective_sops,
        "update_active": op.updates_active,
        "update_inactive": op.updates_inactive,
        "spike_message": op.a_events + _second_events(op),
    }


def _second_events(op: Op) -> int:
    """Events of an attention product's other operand, where they arrive as spikes too."""
    return op.b_events if op.b_class == "binary" else 0
