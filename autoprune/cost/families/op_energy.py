"""op_energy: energy per arithmetic operation, the convention of the papers on spiking networks.

    E = E_mac * (real MACs) + E_ac * (synaptic operations)

Real-valued input (the stem's pixels, the head's means) makes MACs, spikes make accumulations.
Batch norm is folded; neurons, pooling, memory and movement are not counted. A zero weight makes
no operation, unless the machine's ``weight_sparsity`` is ``none``: then every event costs its dense
fan-out, as in papers that ignore pruning. Attention products count one accumulation per event of
one operand and column of the other (choice ``attention_count = "events"``), in the published order
(q^T k) v^T; a machine may name the executed order, or coincidences. Where spikes select rows of
real numbers, an entry is an accumulation or a MAC, as the machine's ``real_times_spike`` says.

The convention compares with published figures and describes no real machine: SOP counts promise
15x where a gated array gives 1.3x (Bhattacharjee et al., arXiv 2309.03388, Table II).

References: Zhou et al., Spikformer, ICLR 2023; Yao et al., Spike-driven Transformer, NeurIPS 2023;
Horowitz, "Computing's Energy Problem", ISSCC 2014.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops


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
        "real_times_spike": ("ac", "mac", "host"),
    }

    def actions(self, ops: Ops) -> Iterator[Action]:
        """MACs and accumulations."""
        skips = self.machine.capabilities.weight_sparsity == "skip"
        coincide = self.machine.choices["attention_count"] == "coincidences"
        effective = np.where(ops.kind == "attention_product", coincide, skips)
        yield Action(
            "mac",
            ops.real_macs * (ops.density if skips else 1.0),
            cause="MACs of real inputs",
            rule="dense MACs of a real input" + " x density of the weights" * skips,
        )
        yield Action(
            "ac",
            np.where(effective, ops.effective_sops, ops.fanout_sops),
            cause="accumulations",
            rule=f"events x {'nonzero' if skips else 'all'} weights; of attention "
            + ("coincidences" if coincide else "events x width"),
        )
