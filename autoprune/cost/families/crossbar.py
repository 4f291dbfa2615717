"""crossbar: weights in analog crossbars that multiply where they are stored (SpikeSim).

A layer of Cin inputs, Cout outputs and a kernel of p positions is cut into crossbars of X x X; a
processing element (PE) holds the p crossbars of one cut. Per time step and output position every
PE of the layer works for one PE cycle:

    PEs       = ceil(Cout / X) ceil(Cin / X), per group
    PE cycles = PEs * M * T
    E         = PE cycles * (H-tree + fetch + tile buffer + neuron
                + X/c (p crossbar + X/c (ADC + MUX)) + X/c (16 subtractor + temporary buffer))

with c columns behind one multiplexer. Spikes and zero weights change nothing: a row is read
whether its input spikes or not, and a cell stays where its weight is 0. Fewer channels do, in
steps of X.

    latency = PE cycle time * sum over layers of T M Cout * overlap (1 for the last layer)
    tiles   = ceil(all PEs / PEs per tile)
    area    = tiles * (PEs per tile (subtractor + PE) + temporary buffer + tile buffer + H-tree)
              + membrane entry * (inputs of all layers + outputs of the first `membrane_layers`)
    PE      = positions * crossbar + X/c (ADC + MUX)

Linear layers are convolutions of one position. Products of activations have no weights to store:
they are left to a host. Both the overlap of layers and the outputs of only the first five layers
in the area are the source's.

Reference: Moitra et al., "SpikeSim: An End-to-End Compute-in-Memory Hardware Evaluation Tool for
Benchmarking Spiking Neural Networks", IEEE TCAD 2023, arXiv 2210.12899; constants and rules of its
released ``ela_spikesim.py`` (commit c2627bc).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

_PER_CYCLE = {
    "htree": "H-tree",
    "fetch": "memory fetch",
    "tile_buffer": "tile buffer",
    "neuron": "neurons",
}
_SUBTRACTORS = 16


@final
class Crossbar(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = dict.fromkeys(
        (*_PER_CYCLE, "crossbar", "adc", "mux", "subtractor", "temporary_buffer"), "pJ"
    )
    PARAMETERS: ClassVar = {
        "crossbar_size": "count",
        "columns_per_mux": "count",
        "positions_per_pe": "count",
        "pes_per_tile": "count",
        "clock": "MHz",
        "clocks_per_cycle": "count",
        "overlap": "ratio",
        "membrane_layers": "count",
        **{
            f"{part}_area": "um2"
            for part in ("crossbar", "adc", "mux", "subtractor", "temporary_buffer")
        },
        **{f"{part}_area": "um2" for part in ("tile_buffer", "htree", "membrane_entry")},
    }
    FORMATS: ClassVar = ("dense",)
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("none",),
        "weight_sparsity": ("none",),
        "real_input": ("native", "unsupported"),
        "dynamic_product": ("host", "unsupported"),
        "integer_spike": ("emulated", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("host",),
    }
    LEFT_TO_HOST: ClassVar = ("sum",)

    def actions(self, ops: Ops) -> Iterator[Action]:
        """What every PE does in its cycles."""
        cycles = self.pes(ops) * ops.m * ops.time_steps
        shared = self.quantity("crossbar_size") / self.quantity("columns_per_mux")
        for price, cause in _PER_CYCLE.items():
            yield Action(price, cycles, cause, "PE cycles")
        yield Action(
            "crossbar", cycles * shared * ops.positions, "crossbars", "PE cycles x X/c x positions"
        )
        for price in ("adc", "mux"):
            yield Action(price, cycles * shared**2, price.upper(), "PE cycles x (X/c)^2")
        rule = f"PE cycles x X/c x {_SUBTRACTORS}"
        yield Action("subtractor", cycles * shared * _SUBTRACTORS, "subtractors", rule)
        yield Action("temporary_buffer", cycles * shared, "temporary buffer", "PE cycles x X/c")

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Latency, PEs as cores, and area."""
        outputs = ops.m * ops.n * ops.groups
        overlap = np.where(ops.last, 1.0, self.quantity("overlap"))
        cycle_us = self.quantity("clocks_per_cycle") / self.quantity("clock")
        pes = ops.total(self.pes(ops))
        return {
            "latency_us": ops.total(outputs * ops.time_steps * overlap) * cycle_us,
            "cores": pes,
            "area_mm2": self._area_um2(ops, pes, outputs) * 1e-6,
        }

    def pes(self, ops: Ops) -> Column:
        """Processing elements that hold each layer's weights."""
        size = self.quantity("crossbar_size")
        inputs = ops.k / ops.positions
        return np.ceil(ops.n / size) * np.ceil(inputs / size) * ops.groups

    def _area_um2(self, ops: Ops, pes: Column, outputs: Column) -> Column:
        area, per_tile = self._area, self.quantity("pes_per_tile")
        shared = self.quantity("crossbar_size") / self.quantity("columns_per_mux")
        pe = self.quantity("positions_per_pe") * area("crossbar")
        pe += shared * (area("adc") + area("mux"))
        tile = per_tile * (area("subtractor") + pe)
        tile += area("temporary_buffer") + area("tile_buffer") + area("htree")
        place = np.arange(len(ops)) - np.searchsorted(ops.workload, ops.workload)
        held = np.where(place < self.quantity("membrane_layers"), outputs, 0.0)
        entries = ops.total(ops.a_size / ops.time_steps + held)
        return np.ceil(pes / per_tile) * tile + area("membrane_entry") * entries

    def _area(self, part: str) -> float:
        return self.quantity(f"{part}_area")
