"""Bits that Prosperity's tiles move between DRAM and chip: of 256 rows, 128 columns, 8-bit weights.

A layer's rows are its positions in all time steps, M T. Weights come once per tile of rows, spikes
once per tile of columns (a convolution's by position, not by tap), and spikes go out where they
outgrow their buffer; with b_w bits of a weight, p kernel positions, per group:

    layer       K N b_w ceil(M T / 256) + floor(M T K ceil(N / 128) / p) b_a
    neurons     spikes sent n T, where they are 4096 bits or more

Attention is done K^T V first, or K^T Q first where there are fewer tokens than dimensions, one of
the two held as weights. With s and e the larger and the smaller of tokens and dimensions of a head,
per head and time step:

    first       s e ceil(e / 128) b_a + s e b ceil(e / 256)          keys; values as weights
    second      s e ceil(e / 128) b_a [+ s e + e^2 b ceil(s / 256)]  queries

The intermediate, in brackets, leaves the chip where it has 16 384 bits or more. b is 8, and b_a the
bits of an entry, 1 of a spike and at most 8. These are the bits of the released memory table, to
the bit, for Spikformer, VGG16 and ResNet18.

Reference: Wei et al., Prosperity, HPCA 2025, arXiv 2503.03379; its simulator (commit 6ee1c6f),
``run_fc_cuda``, ``run_attention`` and ``run_LIF``.
"""

from __future__ import annotations

import numpy as np

from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

ROWS, COLUMNS = 256, 128
"""Rows of spikes and columns of weights of a tile."""

SPIKE_BUFFER, WEIGHT_BUFFER = 4096, 16_384
"""Bits of the buffers of one tile of spikes and of weights."""

HELD_BITS = 8
"""Bits in which an activation is held that stands in for weights."""


def traffic(ops: Ops, weight_bits: Column) -> Column:
    """Bits of each operation and of the neurons behind it, per inference."""
    return np.where(ops.static, _layer(ops, weight_bits), _product(ops)) + sent(ops)


def sent(ops: Ops) -> Column:
    """Bits of them that the neurons send."""
    spikes = ops.neurons * ops.time_steps
    return np.where(spikes >= SPIKE_BUFFER, spikes, 0)


def _layer(ops: Ops, weight_bits: Column) -> Column:
    rows = ops.m * ops.time_steps
    weights = ops.k * ops.n * weight_bits * np.ceil(rows / ROWS)
    spikes = np.floor(rows * ops.k * np.ceil(ops.n / COLUMNS) / ops.positions)
    return (weights + spikes * _bits(ops)) * ops.groups


def _bits(ops: Ops) -> Column:
    """Bits of an entry of A: 1 of a spike, and never more than those of a held one."""
    return ops.a_bits.clip(max=HELD_BITS)


def _product(ops: Ops) -> Column:
    large, small = np.maximum(ops.m, ops.k), np.minimum(ops.m, ops.k)
    entries = large * small
    spikes = entries * np.ceil(small / COLUMNS) * _bits(ops)
    held = entries * HELD_BITS * np.ceil(small / ROWS)
    between = small**2 * HELD_BITS
    again = np.where(between >= WEIGHT_BUFFER, entries + between * np.ceil(large / ROWS), 0)
    first = ops.b_class == "binary"
    return (spikes + np.where(first, held, again)) * ops.heads * ops.time_steps
