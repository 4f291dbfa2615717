"""systolic: a dense array of R x C processing elements behind one SRAM and a DRAM.

An operation is a matrix product M x K times K x N. A layer with weights is done once for all T
time steps, M = positions x T; an attention product once per head and time step; groups one after
the other. Cycles of one product (SCALE-Sim's analytical model, Samajdar et al., ISPASS 2020;
`folds` counts how often the array is filled):

    weight-stationary   folds = ceil(K/R) ceil(N/C)     per fold 2R + C + M - 2
    output-stationary   folds = ceil(M/R) ceil(N/C)     per fold R + C + K - 2
    input-stationary    folds = ceil(K/R) ceil(M/C)     per fold 2R + C + N - 2
    cycles = folds * per fold - 1

Energy, with b_a, b_w, b_p bits of an activation, a weight and a partial sum. Every read and write
is charged by bits at the price of one access divided by the bits of one access:

    MACs              M K N, zeros included: neither spikes nor zero weights are skipped
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

import math
from collections.abc import Iterator
from typing import ClassVar, cast, final

from autoprune.cost.cost import Cost, HostOperation, Term
from autoprune.cost.model import CostModel
from autoprune.op import Op, Order
from autoprune.workload import Workload


def cycles(dataflow: str, array: tuple[int, int], m: int, k: int, n: int) -> int:
    """SCALE-Sim's cycles of one product on an array of (R, C); see the module's docstring.

    A product from which everything was pruned takes none.
    """
    if not m * k * n:
        return 0
    r, c = array
    match dataflow:
        case "ws":
            folds, per_fold = math.ceil(k / r) * math.ceil(n / c), 2 * r + c + m - 2
        case "os":
            folds, per_fold = math.ceil(m / r) * math.ceil(n / c), r + c + k - 2
        case "is":
            folds, per_fold = math.ceil(k / r) * math.ceil(m / c), 2 * r + c + n - 2
        case _:
            raise ValueError(f"dataflow {dataflow!r}")
    return folds * per_fold - 1


@final
class Systolic(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = {
        "mac": "pJ",
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
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("none",),
        "weight_sparsity": ("none",),
        "real_input": ("native", "unsupported"),
        "dynamic_product": ("native", "unsupported"),
        "integer_spike": ("native", "unsupported"),
        "neuron": ("host", "unsupported"),
    }
    PER_ACCESS: ClassVar = ("sram_read", "sram_write", "dram_read", "dram_write")

    def price(self, workload: Workload) -> Cost:
        """Energy, cycles and latency of one inference."""
        order = cast(Order, self.machine.choices["attention_order"])
        every = list(workload.select(order))
        ops = [op for op in every if op.kind not in ("masking", "sum")]
        total = sum(self.op_cycles(op) for op in ops)
        unsupported = self.unsupported(every)
        updates = sum(op.neurons * op.time_steps for op in every)
        host = [f"{updates} neuron updates"] if updates else []
        host += [f"{op.name}: {op.kind} of spikes" for op in every if op not in ops]
        return Cost(
            machine=self.machine.name,
            terms=tuple(
                term
                for op in ops
                for term in self._terms(
                    op,
                    entries_in=op.a_size / workload.samples if op is ops[0] else 0.0,
                    last=op is ops[-1],
                )
            ),
            cycles=None if unsupported else total,
            latency_us=None if unsupported else total / self.quantity("clock").value,
            host=tuple(HostOperation(name=name, dense_macs=0.0, share=0.0) for name in host),
            unpriced=unsupported,
        )

    def op_cycles(self, op: Op) -> int:
        """Cycles of one operation."""
        m, products = _products(op)
        return products * cycles(self.machine.choices["dataflow"], self._array, m, op.k, op.n)

    @property
    def _array(self) -> tuple[int, int]:
        return int(self.quantity("rows").value), int(self.quantity("columns").value)

    def _terms(self, op: Op, *, entries_in: float, last: bool) -> Iterator[Term]:
        """The energy of one operation, with the network's input and output where it has them."""
        m, products = _products(op)
        if not m * op.k * op.n:
            return
        weights_enter, inputs_pass, sums_written = self._passes(m, op.k, op.n)
        b_a, b_p = self.quantity("activation").value, self.quantity("partial_sum").value
        static = op.b_class == "weight"
        b_w = self.machine.weight_bits if static else b_a
        weights, inputs, sums = (s * products for s in (op.k * op.n, m * op.k, m * op.n))
        loaded = entries_in * b_a + (weights * b_w if static else 0.0)
        bits = {
            "sram_read": weights * b_w * weights_enter
            + inputs * b_a * inputs_pass
            + sums * b_p * (sums_written - 1),
            "sram_write": sums * b_p * sums_written + loaded,
            "dram_read": loaded,
            "dram_write": sums * b_a if last else 0.0,
        }
        macs = products * m * op.k * op.n
        yield self._term("MACs", op, "mac", macs, macs * self.value("mac"))
        for name, moved in bits.items():
            if moved:
                accesses = moved / self.access_bits(name)
                cause = "SRAM" if name.startswith("sram") else "DRAM"
                yield self._term(cause, op, name, accesses, accesses * self.value(name))

    def _passes(self, m: int, k: int, n: int) -> tuple[int, int, int]:
        """How often weights enter, inputs pass, and partial sums are written: W, A, P."""
        r, c = self._array
        match self.machine.choices["dataflow"]:
            case "ws":
                return 1, math.ceil(n / c), math.ceil(k / r)
            case "os":
                return math.ceil(m / r), math.ceil(n / c), 1
            case _:
                return math.ceil(m / c), 1, math.ceil(k / r)

    def _term(self, cause: str, op: Op, price: str, count: float, energy_pj: float) -> Term:
        return Term(cause=cause, op=op.name, price=price, count=count, energy_pj=energy_pj)


def _products(op: Op) -> tuple[int, int]:
    """Rows of one product on the array, and how many such products an inference has."""
    if op.kind == "attention_product":
        return op.m, op.heads * op.time_steps
    return op.m * op.time_steps, op.groups
