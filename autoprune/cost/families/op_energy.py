"""op_energy: energy per arithmetic operation, the convention of the papers on spiking networks.

    E = E_mac * (real MACs) + E_ac * (synaptic operations)

Real-valued input (the stem's pixels, the head's means) makes MACs, spikes make accumulations.
Batch norm is folded; neurons, pooling, memory and movement are not counted. A zero weight makes
no operation, unless the machine's ``weight_sparsity`` is ``none``: then every event costs its dense
fan-out, as in papers that ignore pruning. Attention products count one accumulation per event of
one operand and column of the other (choice ``attention_count = "events"``), in the published order
(q^T k) v^T; a machine may name the executed order, or coincidences.

The convention compares with published figures and describes no real machine: SOP counts promise
15x where a gated array gives 1.3x (Bhattacharjee et al., arXiv 2309.03388, Table II).

References: Zhou et al., Spikformer, ICLR 2023; Yao et al., Spike-driven Transformer, NeurIPS 2023;
Horowitz, "Computing's Energy Problem", ISSCC 2014.
"""

from __future__ import annotations

from typing import ClassVar, cast, final

from autoprune.cost.cost import Cost, Term
from autoprune.cost.model import CostModel
from autoprune.op import Op, Order
from autoprune.workload import Workload


@final
class OpEnergy(CostModel):
    """The formula of this module's docstring; no latency, no memory, no area."""

    PRICES: ClassVar = {"mac": "pJ", "ac": "pJ"}
    CHOICES: ClassVar = {
        "attention_order": ("published", "executed"),
        "attention_count": ("events", "coincidences"),
    }
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("skip",),
        "weight_sparsity": ("skip", "none"),
        "real_input": ("native", "unsupported"),
        "dynamic_product": ("native", "unsupported"),
        "integer_spike": ("native", "unsupported"),
        "neuron": ("native",),
    }

    def price(self, workload: Workload) -> Cost:
        """The energy of one inference."""
        order = cast(Order, self.machine.choices["attention_order"])
        ops = tuple(workload.select(order))
        terms = []
        for op in ops:
            counts = {"mac": op.real_macs, "ac": self._accumulations(op)}
            for price, count in counts.items():
                if count:
                    terms.append(
                        Term(
                            cause={"mac": "MACs of real inputs", "ac": "accumulations"}[price],
                            op=op.name,
                            price=price,
                            count=count / workload.samples,
                            energy_pj=count / workload.samples * self.value(price),
                        )
                    )
        return Cost(machine=self.machine.name, terms=tuple(terms), unpriced=self.unsupported(ops))

    def _accumulations(self, op: Op) -> int:
        if op.kind == "attention_product":
            skips = self.machine.choices["attention_count"] == "coincidences"
        else:
            skips = self.machine.capabilities.weight_sparsity == "skip"
        return op.effective_sops if skips else op.fanout_sops
