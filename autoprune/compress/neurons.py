"""Neurons: what those of one block learn, and from where they start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from autoprune.compress.part import Amount
from autoprune.networks.granularity import Granularity

Learned = Literal["fixed", Granularity]
"""How a threshold or time constant is learned: not, one per layer, per channel, or per neuron."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neurons:
    """The neurons of one block: sLIF, or the parent's LIF where nothing is learned or changed.

    Attributes:
        threshold, tau: how each is learned.
        threshold_start, tau_start: the start as a multiple of the replaced neuron's threshold, and
            of its tau - 1, so that every positive multiple is a valid neuron; 1 starts from it.
    """

    threshold: Learned = "fixed"
    tau: Learned = "fixed"
    threshold_start: float = 1.0
    tau_start: float = 1.0

    @classmethod
    def of(cls, amounts: Mapping[str, Amount]) -> Neurons:
        """The neurons with these settings, the others neutral."""
        return cls(**amounts)  # type: ignore[arg-type]

    @property
    def is_lif(self) -> bool:
        """Whether the parent's neurons stay."""
        return self == Neurons()

    @property
    def single(self) -> bool:
        """Whether anything is learned one by one, for which there has to be a number of neurons."""
        return "neuron" in (self.threshold, self.tau)
