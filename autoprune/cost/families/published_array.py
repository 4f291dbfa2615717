"""published_array: an accelerator as a publication simulates it: its cycle rule, its chip's power.

    E = power * cycles / clock + DRAM price * bits * DRAM traffic

The power is that of a whole chip, so that nothing on the chip is charged beside it, and it holds
for the publication's own cycle rule only: a file names both, and a power of one rule with the
cycles of another is refused. With N columns of the product M x K times K x N, T time steps:

    eyeriss   layers      ceil(N / 12) floor(M T K / 14)     zeros included: an array of 14 x 12
              attention   floor(MACs / 168) per product
              neurons     floor(T / 12) neurons / 14
    mint      layers      spikes * ceil(N / 128)             128 lanes that skip absent spikes
              neurons     floor(neurons T 3 / 16)

Spikes of a convolution are counted once per output position that they reach, as its unrolled input
holds them; an integer n counts as n. What an operation needs beyond these rules is left to a host.

Bits are those that Prosperity's own tiles of 256 rows and 128 columns move, which
`autoprune.cost.tiles` counts; `dram_traffic` is the publication's multiple of them for
this machine. DRAM stands outside the chip, and outside its power.

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
from autoprune.cost.tiles import traffic
from autoprune.errors import InputError
from autoprune.workload.columns import Column


@final
class PublishedArray(CostModel):
    """The formulas of this module's docstring."""

    PRICES: ClassVar = {"power": "mW", "dram": "pJ"}
    PARAMETERS: ClassVar = {"clock": "MHz", "dram_traffic": "ratio"}
    CHOICES: ClassVar = {
        "cycle_rule": ("eyeriss", "mint"),
        "power_of": ("eyeriss", "mint"),
        "attention_order": ("published", "executed"),
    }
    FORMATS: ClassVar = ("dense",)
    CAPABILITIES: ClassVar = {
        "spike_sparsity": ("none", "skip"),
        "weight_sparsity": ("none",),
        "real_input": ("native", "host", "unsupported"),
        "dynamic_product": ("native", "host", "unsupported"),
        "integer_spike": ("native", "emulated", "unsupported"),
        "neuron": ("native",),
        "real_times_spike": ("mac", "host"),
    }
    PER_ACCESS: ClassVar = ("dram",)
    OFF_CHIP: ClassVar = ("dram",)
    LEFT_TO_HOST: ClassVar = ("masking", "sum")

    def check(self) -> None:
        """A published power goes only with its own cycle rule, and a rule only with what it does.

        Raises InputError otherwise.
        """
        choices, words = self.machine.choices, self.machine.capabilities
        where, rule = f"{self.machine.where}: choices", choices["cycle_rule"]
        if choices["power_of"] != rule:
            raise InputError(
                where, f"the power of {choices['power_of']!r} with the cycles of {rule!r}", "one"
            )
        skips = "skip" if rule == "mint" else "none"
        if words.spike_sparsity != skips:
            raise InputError(
                f"{self.machine.where}: capabilities.spike_sparsity",
                f"{words.spike_sparsity!r} with cycle_rule {rule!r}",
                skips,
            )
        if rule == "mint" and "native" in (words.real_input, words.dynamic_product):
            raise InputError(
                f"{self.machine.where}: capabilities",
                "real_input or dynamic_product native with cycle_rule 'mint'",
                "host or unsupported: the rule counts spikes",
            )

    def actions(self, ops: Ops) -> Iterator[Action]:
        """The chip's power while it runs, and DRAM."""
        nanoseconds = self.cycles(ops) / self.quantity("clock") * 1e3
        yield Action("power", nanoseconds, "chip", "cycles / clock")
        bits = traffic(ops, self.weight_bits(ops)) * self.quantity("dram_traffic")
        rule = "bits that tiles of weights and spikes move x traffic"
        yield Action("dram", self.accesses("dram", bits), "DRAM", rule)

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """Cycles, and the time that they take."""
        total = ops.total(self.cycles(ops))
        return {"cycles": total, "latency_us": total / self.quantity("clock")}

    def cycles(self, ops: Ops) -> Column:
        """Cycles of each operation and the neurons behind it."""
        steps = ops.time_steps
        if self.machine.choices["cycle_rule"] == "eyeriss":
            dense = np.ceil(ops.n / 12) * np.floor(ops.m * steps * ops.k / 14) * ops.groups
            product = np.floor(ops.m * ops.k * ops.n * ops.heads * steps / 168)
            neurons = np.floor(np.floor(steps / 12) * ops.neurons / 14)
            return np.where(ops.static, dense, product) + neurons
        reached = np.divide(
            ops.fanout_sops, ops.n, out=np.zeros(len(ops)), where=np.asarray(ops.n > 0)
        )
        return reached * np.ceil(ops.n / 128) + np.floor(ops.neurons * steps * 3 / 16)
