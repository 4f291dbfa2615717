"""roofline: a GPU or CPU that its user describes by peak, bandwidth, power and overhead.

    time   = sum over operations of max(2 MACs / (peak * efficiency), bytes / bandwidth) + overhead
    energy = power * time

Operations run one after the other, each as one launch for all its time steps; MACs are dense, since
such a machine multiplies zeros, too, but for those of weights whose zeros are by a pattern N:M of
its `skipped_patterns`: N / M of them. Bytes are weights once, and inputs and outputs of every time
step, all at `operand` bits; a weight that obeys a pattern of its `weight_formats` has N of M
entries, each with log2(M) bits that say which. Neurons, pooling and additions run in the launches
that they follow.

Sparse tensor cores read 2:4 so, with 2 bits per entry, at up to twice the dense rate: Mishra et
al., "Accelerating Sparse Deep Neural Networks", arXiv 2104.08378.

It describes no particular machine: the numbers are the user's, best measured ones. Power times time
is energy proportional to latency, and an idle device's power is in it.

Reference: Williams, Waterman, Patterson, "Roofline: An Insightful Visual Performance Model for
Multicore Architectures", Commun. ACM 52(4), 2009.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, final, get_args

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column, Pattern


@final
class Roofline(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = {"power": "mW"}
    PARAMETERS: ClassVar = {
        "peak": "TOP/s",
        "efficiency": "ratio",
        "bandwidth": "GB/s",
        "overhead": "us",
        "operand": "bit",
    }
    SKIPS_PATTERNS: ClassVar = True
    CHOICES: ClassVar = {"attention_order": ("executed", "published")}
    FORMATS: ClassVar = ("dense", *get_args(Pattern))
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("none",),
        "weight_sparsity": ("none",),
        "real_input": ("native", "unsupported"),
        "dynamic_product": ("native", "unsupported"),
        "integer_spike": ("native", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("mac", "host"),
    }

    def actions(self, ops: Ops) -> Iterator[Action]:
        """The device's power for as long as each operation takes."""
        yield Action("power", self.time_us(ops) * 1e3, "device", "time of the operation in ns")

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Latency."""
        return {"latency_us": ops.total(self.time_us(ops))}

    def stored(self, ops: Ops) -> Mapping[str, Column]:
        """Bits of weights, all at `operand` bits."""
        operand = self.quantity("operand")
        return {name: ops.storage(name, operand) for name in self.machine.weight_formats}

    def time_us(self, ops: Ops) -> Column:
        """Time of each operation; none of one from which everything was pruned."""
        # 1 TOP/s is 1e6 operations per microsecond, 1 GB/s 1e3 bytes
        peak = self.quantity("peak") * self.quantity("efficiency") * 1e6
        outputs = ops.m * ops.n * ops.groups * ops.heads * ops.time_steps
        operand = self.quantity("operand")
        second = np.where(ops.static, self.storage(ops), ops.b_size * operand)
        bits = second + (ops.a_size + outputs) * operand
        moved = bits / 8 / (self.quantity("bandwidth") * 1e3)
        there = ops.m * ops.k * ops.n > 0
        macs = ops.dense_macs * self.worked(ops)
        busy = np.maximum(2 * macs / peak, moved) + self.quantity("overhead")
        return np.where(there, busy, 0.0)
