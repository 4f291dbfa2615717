"""product_sparsity: lanes that add up only what no other row of a tile has added up (Prosperity).

Rows of spikes are cut into tiles of 256 rows and 16 columns. A row of two spikes or more reuses the
result of the largest row that it contains; of equal rows all but the first are reused whole (see
`autoprune.workload.parts.Activity.tiles`). With s spikes left, e rows emptied and r rows searched,
of a product M x K times K x N per group, the T steps of a position side by side:

    compute     max(s + e, r + floor(M T / 8)) ceil(N / 128)      one addition, or one row, a cycle
    start       floor((16 x 128 weights + 16 x 256 spikes) / 1024)
    layer       compute + start + max(0, floor(other bits / 1024) - compute)
    neurons     min(ceil(256 x 128 / T / 32), ceil(neurons / 32)) 2 T    behind the tile before

M and K, and N, are as small as the matrix where a tile is larger, and spikes that fit into 4096
bits are on the chip already. Bits are those of `autoprune.cost.tiles`. Attention's products are
done one head and time step after the other, in the executed order, with the A of each as spikes;
r + floor(M / 8) is counted there per 16 columns, and neurons run beside them:

    product     as a layer, per head and step; B as weights of 8 bits, which the second product
                finds on the chip where they have less than 16 384 bits
    neurons     the larger of theirs behind a tile, and what all of them take beyond the product

An integer n is one spike of its tile and n - 1 more additions, which the source does not know.

    E = power * cycles / clock + DRAM price * bits

Reference: Wei et al., "Prosperity: Accelerating Spiking Neural Networks via Product Sparsity",
HPCA 2025, arXiv 2503.03379; rules and constants of its simulator (commit 6ee1c6f).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.cost.tiles import (
    COLUMNS,
    HELD_BITS,
    ROWS,
    SPIKE_BUFFER,
    WEIGHT_BUFFER,
    sent,
    traffic,
)
from autoprune.workload.columns import Column
from autoprune.workload.parts import TILE

_DEPTH = TILE[1]
_POPCOUNTS, _NEURON_LANES, _INTERFACE_BITS = 8, 32, 1024


@final
class ProductSparsity(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = {"power": "mW", "dram": "pJ"}
    PARAMETERS: ClassVar = {"clock": "MHz"}
    FORMATS: ClassVar = ("dense",)
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("skip",),
        "weight_sparsity": ("none",),
        "real_input": ("host", "unsupported"),
        "dynamic_product": ("native", "host", "unsupported"),
        "integer_spike": ("emulated", "host", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("ac", "host"),
    }
    PER_ACCESS: ClassVar = ("dram",)
    OFF_CHIP: ClassVar = ("dram",)
    PRODUCT_SPARSITY: ClassVar = True
    LEFT_TO_HOST: ClassVar = ("masking", "sum")

    def actions(self, ops: Ops) -> Iterator[Action]:
        """The chip's power while it runs, and DRAM."""
        nanoseconds = self.cycles(ops) / self.quantity("clock") * 1e3
        yield Action("power", nanoseconds, "chip", "cycles / clock")
        bits = traffic(ops, self.weight_bits(ops))
        rule = "bits that tiles of weights and spikes move"
        yield Action("dram", self.accesses("dram", bits), "DRAM", rule)

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Cycles, and the time that they take."""
        total = ops.total(self.cycles(ops))
        return {"cycles": total, "latency_us": total / self.quantity("clock")}

    def cycles(self, ops: Ops) -> Column:
        """Cycles of each operation and the neurons behind it."""
        products = np.where(ops.static, ops.groups, ops.heads * ops.time_steps)
        there = ops.m * ops.k * ops.n > 0
        product = np.where(there, self._one_by_one(ops, products), 0.0)
        return product + self._neurons(ops, product)

    def _one_by_one(self, ops: Ops, products: Column) -> Column:
        """Cycles of so many products, groups or heads and steps, one after the other."""
        across = np.ceil(ops.n / COLUMNS)
        compute = self._additions(ops) * across
        start, rest = self._moved(ops, products)
        stalled = np.maximum(0.0, np.floor(rest / _INTERFACE_BITS) - compute / products)
        return compute + products * (np.floor(start / _INTERFACE_BITS) + stalled)

    def _additions(self, ops: Ops) -> Column:
        """Cycles of the slower of additions and search, of all products, for 128 columns."""
        rows = np.where(ops.static, ops.m * ops.time_steps, ops.m)
        times = np.where(
            ops.static, ops.groups, ops.heads * ops.time_steps * np.ceil(ops.k / _DEPTH)
        )
        reached = np.divide(
            ops.fanout_sops, ops.n, out=np.zeros(len(ops)), where=np.asarray(ops.n > 0)
        )
        again = np.maximum(0.0, reached - ops.tile_spikes)  # an integer n once, and n - 1 times
        added = ops.tile_left + ops.tile_emptied + again
        searched = ops.tile_searched + times * np.floor(rows / _POPCOUNTS)
        return np.maximum(added, searched)

    def _moved(self, ops: Ops, products: Column) -> tuple[Column, Column]:
        """Bits of one product before it can start, and beside it."""
        layer = ops.static
        rows = np.where(layer, ops.m * ops.time_steps, ops.m)
        second = ~layer & (ops.b_class != "binary")
        kept = second & (ops.k * ops.n * HELD_BITS < WEIGHT_BUFFER)
        width = np.where(layer, self.weight_bits(ops), HELD_BITS)
        depth = np.minimum(_DEPTH, ops.k)
        weights = np.where(kept, 0, depth * np.minimum(COLUMNS, ops.n) * width)
        near = layer & (ops.a_size < SPIKE_BUFFER)
        start = weights + np.where(near, 0, depth * np.minimum(ROWS, rows))
        whole = (traffic(ops, self.weight_bits(ops)) - sent(ops)) / products
        return start, np.maximum(0.0, whole - start)

    def _neurons(self, ops: Ops, product: Column) -> Column:
        turn = 2 * ops.time_steps
        whole = np.ceil(ops.neurons / _NEURON_LANES) * turn
        tile = np.ceil(np.floor(ROWS * COLUMNS / ops.time_steps) / _NEURON_LANES) * turn
        behind = np.minimum(tile, whole)
        return np.where(ops.static, behind, np.maximum(behind, whole - product))
