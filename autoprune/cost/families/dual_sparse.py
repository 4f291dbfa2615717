"""dual_sparse: inner joins of compressed spikes and compressed weights (LoAS).

Spikes of up to P time steps lie in one word; an input that is silent in all of them is skipped, and
so is a zero weight. For every output, one of U processing elements joins two bitmasks of K bits,
C bits in c clocks (LoAS's slow prefix sum), and adds up where both are set, one per clock:

    matches = M K N * share of inputs that spike in a group of P steps * share of nonzero weights
    cycles  = max(c ceil(K / C) outputs * groups of steps, matches) / U

summed over groups of P steps; the shares are taken as independent of each other, and the load as
equal among the elements. Compressed operands come from memory as a bitmask with what is not zero:

    bits    = weights in the smallest of the machine's formats, once per inference
              + an input's bit, and a word of P steps where it spikes, + a spike out per neuron

at a bandwidth, beside the computation: latency is the larger of the two. Energy is the chip's
power while it runs; its memory's is not published.

Reference: Yin et al., "LoAS: Fully Temporal-Parallel Dataflow for Dual-Sparse Spiking Neural
Networks", MICRO 2024, arXiv 2407.14073.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column
from autoprune.workload.parts import WINDOWS

_PACKED = 4
_WINDOW = WINDOWS.index(_PACKED)


@final
class DualSparse(CostModel):
    """The formulas of this module's docstring, with P = 4."""

    PRICES: ClassVar = {"power": "mW"}
    PARAMETERS: ClassVar = {
        "elements": "count",
        "mask": "bit",
        "clocks_per_mask": "count",
        "clock": "MHz",
        "bandwidth": "GB/s",
        "area": "mm2",
    }
    FORMATS: ClassVar = ("dense", "bitmap")
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("skip",),
        "weight_sparsity": ("skip",),
        "real_input": ("host", "unsupported"),
        "dynamic_product": ("host", "unsupported"),
        "integer_spike": ("emulated", "host", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("host",),
    }
    LEFT_TO_HOST: ClassVar = ("sum",)
    NOT_ADDITIVE: ClassVar = "memory and computation of different operations overlap"

    def actions(self, ops: Ops) -> Iterator[Action]:
        """The chip's power while it runs, shared among operations by their own time."""
        own = np.maximum(self.compute_us(ops), self.memory_us(ops)) * 1e3
        whole = ops.total(own)[ops.workload]
        runs = self._latency_us(ops)[ops.workload] * 1e3
        share = np.divide(own, whole, out=np.zeros(len(ops)), where=whole > 0)
        yield Action("power", runs * share, "chip", "latency, by the operation's own time")

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Latency and the chip's area."""
        area = np.full(ops.workloads, self.quantity("area"))
        return {"latency_us": self._latency_us(ops), "area_mm2": area}

    def compute_us(self, ops: Ops) -> Column:
        """Time of each operation's joins."""
        entries, groups = ops.a_size / ops.time_steps, np.ceil(ops.time_steps / _PACKED)
        outputs = ops.m * ops.n * ops.groups
        masks = np.ceil(ops.k / self.quantity("mask")) * outputs * groups
        # summed over the groups of steps
        active = np.divide(self._active(ops), entries, out=np.zeros(len(ops)), where=entries > 0)
        matches = outputs * ops.k * active * ops.density
        scans = masks * self.quantity("clocks_per_mask")
        return np.maximum(scans, matches) / self.quantity("elements") / self.quantity("clock")

    def memory_us(self, ops: Ops) -> Column:
        """Time of each operation's traffic."""
        entries = ops.a_size / ops.time_steps * np.ceil(ops.time_steps / _PACKED)
        words = np.minimum(ops.time_steps, _PACKED) * self._active(ops)
        bits = self.storage(ops) + entries + words + ops.neurons * ops.time_steps
        return bits / 8 / (self.quantity("bandwidth") * 1e3)

    def _active(self, ops: Ops) -> Column:
        """Inputs that spike, summed over groups of P steps."""
        return ops.windows[:, _WINDOW]

    def _latency_us(self, ops: Ops) -> Column:
        """Computation beside memory: the larger of both sums."""
        return np.maximum(ops.total(self.compute_us(ops)), ops.total(self.memory_us(ops)))
