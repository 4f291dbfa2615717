"""memory_hierarchy: every operation, address and memory word at its own price (Lemaire et al.).

Per inference, w being a word of 32 bits, s events that an operation reads, f = s N p its fan-out in
memory with p kernel positions (the border is not subtracted: the words are touched), d the share of
nonzero weights, T time steps, V neurons or outputs:

    spikes    operations   additions d * synaptic operations, 1 per spike sent; V T multiplications
              addresses    additions d f; of a convolution 2 multiply-additions per event
              memory       s words from the input FIFO, d f of weights,
                           potentials d f read and d f written, and V T each for the neurons,
                           spikes sent to the output FIFO
    numbers   operations   M K N T multiply-additions
              addresses    inputs + outputs (+ N p of a convolution) additions
              memory       inputs (of a convolution M K N T) and M K N T of weights

A batch norm that was folded leaves a bias: one word and one addition per output and step. A zero
weight is not stored, fetched or added.

A memory of c KiB costs per word what lies on straight lines through 0 and the prices at 8 KiB,
32 KiB and 1 MiB; a larger one costs what one of 1 MiB does. FIFOs hold 1000 words; weights and
potentials have memories of their own per layer.

Reference: Lemaire et al., "An Analytical Estimation of Spiking Neural Networks Energy Efficiency",
ICONIP 2022, arXiv 2210.13107, with theta_in N_out in place of its Eq. (2), which contradicts Eqs.
(8), (10), (15) and (17); as in spikingjelly 2.0's ``estimate_lemaire_energy``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

_SIZES = {"sram_8k": 8.0, "sram_32k": 32.0, "sram_1m": 1024.0}
_WORD_BITS = 32
_FIFO_WORDS = 1000.0


@final
class MemoryHierarchy(CostModel):
    """The formulas of this module's docstring; no latency, no area."""

    PRICES: ClassVar = {"add": "pJ", "multiply": "pJ", **dict.fromkeys(_SIZES, "pJ")}
    FORMATS: ClassVar = ("dense",)
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("skip",),
        "weight_sparsity": ("skip",),
        "real_input": ("native", "host", "unsupported"),
        "dynamic_product": ("host", "unsupported"),
        "integer_spike": ("emulated", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("host",),
    }
    PER_ACCESS: ClassVar = tuple(_SIZES)
    LEFT_TO_HOST: ClassVar = ("sum",)

    def actions(self, ops: Ops) -> Iterator[Action]:
        """Arithmetic, addresses, then the words of each memory."""
        real, places = ops.a_class == "real", ops.positions
        conv = ops.kind == "conv"
        outputs = ops.m * ops.n * ops.groups
        folded = np.where(ops.norm_folded, outputs * ops.time_steps, 0.0)
        updates = ops.updates_active + ops.updates_inactive
        fanout = ops.a_events * ops.n * places * ops.density
        arithmetic = {
            "add": ops.effective_sops + ops.output_spikes + ops.real_macs + folded + updates,
            "multiply": ops.real_macs + updates,
        }
        for price, count in arithmetic.items():
            yield Action(price, count, "operations", "operations of synapses and neurons")
        numbers = ops.a_size + outputs * ops.time_steps + np.where(conv, ops.n * places, 0.0)
        found = np.where(conv & ~real, 2 * ops.a_events, 0.0)
        yield Action("add", np.where(real, numbers, fanout) + found, "addresses", "addresses")
        yield Action("multiply", found, "addresses", "2 per event of a convolution")
        entries = ops.a_size / ops.time_steps
        words = np.where(real, np.where(conv, ops.real_macs, ops.a_size), ops.a_events)
        inputs = np.where(real, entries, _FIFO_WORDS)
        yield from self._memory("inputs and outputs", words, inputs)
        yield from self._memory("inputs and outputs", ops.output_spikes, _FIFO_WORDS)
        held = self.storage(ops) / _WORD_BITS
        yield from self._memory("weights", np.where(real, ops.real_macs, fanout) + folded, held)
        yield from self._memory("potentials", 2 * (fanout + updates), outputs)

    def stored(self, ops: Ops) -> Mapping[str, Column]:
        """Bits of the words that are held: nonzero weights, and the biases of batch norms."""
        words = ops.b_nonzeros + np.where(ops.norm_folded, ops.n * ops.groups, 0)
        return {"as words": np.where(ops.static, words * _WORD_BITS, 0.0)}

    def state(self, ops: Ops) -> Column:
        """Bits of the words of membranes."""
        return ops.neurons * _WORD_BITS

    def _memory(self, cause: str, words: Column, capacity: Column | float) -> Iterator[Action]:
        """Words of memories that hold `capacity` words, at the prices between which they lie."""
        size = np.broadcast_to(capacity, words.shape) * _WORD_BITS / 8192
        size = size.clip(max=_SIZES["sram_1m"])
        bits, below = words * _WORD_BITS, 0.0
        shares = dict.fromkeys(_SIZES, np.zeros(len(words)))
        previous = None
        for price, above in _SIZES.items():
            inside = (size > below) & (size <= above)
            share = np.where(inside, (size - below) / (above - below), 0.0)
            shares[price] = shares[price] + share
            if previous is not None:
                shares[previous] = shares[previous] + np.where(inside, 1 - share, 0.0)
            previous, below = price, above
        for price, share in shares.items():
            yield Action(price, self.accesses(price, bits * share), cause, "words, by capacity")
