"""systolic: a dense array of R x C processing elements with registers, one SRAM and a DRAM.

An operation is a matrix product M x K times K x N. A layer with weights is done once for all T
time steps, M = positions x T; an attention product once per head and time step; groups one after
the other. Cycles of one product (SCALE-Sim's analytical model, Samajdar et al., ISPASS 2020;
`folds` counts how often the array is filled):

    weight-stationary   folds = ceil(K/R) ceil(N/C)     per fold 2R + C + M - 2
    output-stationary   folds = ceil(M/R) ceil(N/C)     per fold R + C + K - 2
    input-stationary    folds = ceil(K/R) ceil(M/C)     per fold 2R + C + N - 2
    cycles = folds * per fold - 1

Energy, with b_a, b_w, b_p bits of an activation, a weight and a partial sum. Every read and write
of SRAM and DRAM is charged by bits at the price of one access divided by the bits of one access:

    MACs              M K N, zeros included: neither spikes nor zero weights are skipped
    registers         per MAC one read of a weight, an input and a partial sum, and one write of
                      the sum, each at its own price
    SRAM reads        weights K N b_w, once per time that they enter the array (W times)
                      activations M K b_a, once per time that they pass it (A times)
                      partial sums M N b_p (P - 1), one less than they are written
    SRAM writes       partial sums M N b_p P; what comes from DRAM
    DRAM reads        weights K N b_w, once per inference; the network's input, entry by entry (a
                      convolution reads an entry several times, but from the SRAM), in every step
    DRAM writes       the network's output

                      W                     A                P
    weight-stationary 1                     ceil(N/C)        ceil(K/R)
    output-stationary ceil(M/R)             ceil(N/C)        1
    input-stationary  ceil(M/C)             1                ceil(K/R)

Between operations activations stay in the SRAM; batch size is 1. The operands of an attention
product are both activations and are already there. Unstructured sparsity buys nothing; smaller
matrices do. Neuron updates, masks and sums of spikes belong to a vector unit that has no price and
are left to a host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column


def cycles(dataflow: str, array: tuple[float, float], m: Column, k: Column, n: Column) -> Column:
    """SCALE-Sim's cycles of products on an array of (R, C); see the module's docstring.

    A product from which everything was pruned takes none.
    """
    r, c = array
    match dataflow:
        case "ws":
            folds, per_fold = np.ceil(k / r) * np.ceil(n / c), 2 * r + c + m - 2
        case "os":
            folds, per_fold = np.ceil(m / r) * np.ceil(n / c), r + c + k - 2
        case "is":
            folds, per_fold = np.ceil(k / r) * np.ceil(m / c), 2 * r + c + n - 2
        case _:
            raise ValueError(f"dataflow {dataflow!r}")
    return np.where(m * k * n > 0, folds * per_fold - 1, 0.0)


_REGISTERS = (
    *("weight_register", "input_register"),
    *("sum_register_read", "sum_register_write"),
)


@final
class Systolic(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = {
        "mac": "pJ",
        **dict.fromkeys(_REGISTERS, "pJ"),
        "sram_read": "pJ",
        "sram_write": "pJ",
        "dram_read": "pJ",
        "dram_write": "pJ",
    }
    PARAMETERS: ClassVar = {
        "rows": "count",
        "columns": "count",
        "clock": "MHz",
        "activation": "bit",
        "partial_sum": "bit",
    }
    CHOICES: ClassVar = {
        "dataflow": ("ws", "os", "is"),
        "attention_order": ("executed", "published"),
    }
    FORMATS: ClassVar = ("dense",)
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("none",),
        "weight_sparsity": ("none",),
        "real_input": ("native", "unsupported"),
        "dynamic_product": ("native", "unsupported"),
        "integer_spike": ("native", "unsupported"),
        "neuron": ("host", "unsupported"),
        "real_times_spike": ("mac", "host"),
    }
    PER_ACCESS: ClassVar = ("sram_read", "sram_write", "dram_read", "dram_write")
    LEFT_TO_HOST: ClassVar = ("masking", "sum")
    NOT_ADDITIVE: ClassVar = "only the first operation reads the network's input out of the DRAM"

    def actions(self, ops: Ops) -> Iterator[Action]:
        """MACs with their registers, and what moves between DRAM, SRAM and array."""
        m, products = _products(ops)
        weights_enter, inputs_pass, sums_written = self._passes(m, ops)
        there = m * ops.k * ops.n > 0
        b_a, b_p = self.quantity("activation"), self.quantity("partial_sum")
        b_w = np.where(ops.static, self.weight_bits(ops), b_a)
        weights, inputs, sums = (
            size * products * there for size in (ops.k * ops.n, m * ops.k, m * ops.n)
        )
        entries_in = np.where(ops.first & there, ops.a_size, 0.0)
        loaded = entries_in * b_a + np.where(ops.static, weights * b_w, 0.0)
        read = weights * b_w * weights_enter + inputs * b_a * inputs_pass
        bits = {
            "sram_read": read + sums * b_p * (sums_written - 1),
            "sram_write": sums * b_p * sums_written + loaded,
            "dram_read": loaded,
            "dram_write": np.where(ops.last, sums * b_a, 0.0),
        }
        macs = products * m * ops.k * ops.n
        yield Action("mac", macs, "MACs", "M K N, zeros included")
        for register in _REGISTERS:
            yield Action(register, macs, "registers", "one access per MAC")
        for name, moved in bits.items():
            cause = "SRAM" if name.startswith("sram") else "DRAM"
            rule = f"bits moved / {self.machine_price(name).access_bits} bits of an access"
            yield Action(name, self.accesses(name, moved), cause, rule)

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Cycles, and the time that they take."""
        total = ops.total(self.op_cycles(ops))
        return {"cycles": total, "latency_us": total / self.quantity("clock")}

    def op_cycles(self, ops: Ops) -> Column:
        """Cycles of each operation."""
        m, products = _products(ops)
        flow = self.machine.choices["dataflow"]
        return products * cycles(flow, self._array, m, ops.k, ops.n)

    @property
    def _array(self) -> tuple[float, float]:
        return self.quantity("rows"), self.quantity("columns")

    def _passes(self, m: Column, ops: Ops) -> tuple[Column, Column, Column]:
        """How often weights enter, inputs pass, and partial sums are written: W, A, P."""
        (r, c), once = self._array, np.ones(len(ops))
        match self.machine.choices["dataflow"]:
            case "ws":
                return once, np.ceil(ops.n / c), np.ceil(ops.k / r)
            case "os":
                return np.ceil(m / r), np.ceil(ops.n / c), once
            case _:
                return np.ceil(m / c), once, np.ceil(ops.k / r)


def _products(ops: Ops) -> tuple[Column, Column]:
    """Rows of one product on the array, and how many such products an inference has."""
    attention = ops.kind == "attention_product"
    return (
        np.where(attention, ops.m, ops.m * ops.time_steps),
        np.where(attention, ops.heads * ops.time_steps, ops.groups),
    )
