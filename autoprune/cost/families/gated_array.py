"""gated_array: a dense array whose units are clock-gated where nothing happens (SATA).

For every unit u of a processing element (accumulator, scratchpads, LIF unit), t one clock period:

    E_u = P_gated,u * active * t + (P_ungated,u + P_leak,u) * cycles * PEs * t

Sparsity enters the count of active clocks and nothing else: the array takes the cycles of the
dense product, and all its units' ungated and leakage power runs on. Active clocks are

    accumulator, scratchpads    events times nonzero weights
    LIF unit                    updates of neurons

The array of R x C keeps its outputs, R positions of C channels at a time, one entry of K per clock
behind the fill and the drain of its pipeline (SCALE-Sim's output-stationary rule):

    cycles = (ceil(M / R) ceil(N / C) (K + R + C - 2) - 1) T, group by group

Memory is read densely, whatever is zero:

    weight buffer     K N b_w once per inference
    spike buffer      M K bits, once per ceil(N / C) and time step; spikes out once
    DRAM              K N b_w once per inference

The released results have these cycles per step and these reads on all layers. They charge the reads
of spikes for one step only, though spikes differ from step to step: here every step is charged.

Products of activations have no weights to keep and are left to a host, and so are real inputs.

References: Yin et al., "SATA: Sparsity-Aware Training Accelerator for Spiking Neural Networks",
IEEE TCAD 2022; Bhattacharjee et al., arXiv 2309.03388 (97.5 % zero weights save 1.3x on it, 15x by
synaptic operations); rule, powers and results of the released SATA_Sim (commit d447058).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

_UNITS = {"accumulator": "accumulators", "scratchpad": "scratchpads", "lif": "LIF units"}


@final
class GatedArray(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = {
        **{f"{unit}_{state}": "mW" for unit in _UNITS for state in ("gated", "ungated", "leak")},
        "weight_buffer": "pJ",
        "spike_buffer": "pJ",
        "dram": "pJ",
    }
    PARAMETERS: ClassVar = {
        "rows": "count",
        "columns": "count",
        "clock": "MHz",
        **{f"{unit}_area": "um2" for unit in _UNITS},
    }
    FORMATS: ClassVar = ("dense",)
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("gate",),
        "weight_sparsity": ("gate",),
        "real_input": ("host", "unsupported"),
        "dynamic_product": ("host", "unsupported"),
        "integer_spike": ("emulated", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("host",),
    }
    PER_ACCESS: ClassVar = ("weight_buffer", "spike_buffer", "dram")
    LEFT_TO_HOST: ClassVar = ("sum",)

    def actions(self, ops: Ops) -> Iterator[Action]:
        """Gated, ungated and leakage power of every unit, and memory."""
        period = 1e3 / self.quantity("clock")
        running = self.cycles(ops) * self.quantity("rows") * self.quantity("columns") * period
        updates = ops.updates_active + ops.updates_inactive
        for unit, cause in _UNITS.items():
            active = updates if unit == "lif" else ops.effective_sops
            yield Action(f"{unit}_gated", active * period, cause, "active clocks x period")
            for state in ("ungated", "leak"):
                yield Action(f"{unit}_{state}", running, cause, "cycles x PEs x period")
        yield from self._memory(ops)

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Cycles, the time that they take, and the area of the processing elements."""
        total = ops.total(self.cycles(ops))
        pe = sum(self.quantity(f"{unit}_area") for unit in _UNITS)
        pes = self.quantity("rows") * self.quantity("columns")
        return {
            "cycles": total,
            "latency_us": total / self.quantity("clock"),
            "area_mm2": np.full(ops.workloads, pe * pes * 1e-6),
        }

    def cycles(self, ops: Ops) -> Column:
        """Cycles of each operation."""
        rows, columns = self.quantity("rows"), self.quantity("columns")
        folds = np.ceil(ops.m / rows) * np.ceil(ops.n / columns)
        step = folds * (ops.k + rows + columns - 2) - 1
        return np.where(ops.m * ops.k * ops.n > 0, step, 0.0) * ops.time_steps * ops.groups

    def _memory(self, ops: Ops) -> Iterator[Action]:
        """What is read and written, zeros included."""
        weights = ops.k * ops.n * ops.groups * self.weight_bits(ops)
        passes = np.ceil(ops.n / self.quantity("columns")) * ops.groups
        spikes = (ops.m * ops.k * passes + ops.neurons) * ops.time_steps
        bits = {"weight_buffer": weights, "spike_buffer": spikes, "dram": weights}
        for price, moved in bits.items():
            rule = f"dense bits / {self.machine_price(price).access_bits} bits of an access"
            yield Action(price, self.accesses(price, moved), price.replace("_", " "), rule)
