"""Arithmetic: the integers in which a machine's neurons compute, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autoprune.networks.granularity import Granularity

DecayForm = Literal["fraction", "shift", "none"]
"""How a machine holds a decay k = 1 / tau: as parts of 2^bits; as n of so many bits, where k is
2^-n; or not at all, so that its neurons only add up."""

Reset = Literal["zero", "subtraction", "either"]
"""What a spike does to V: it sets it to 0, or takes the threshold off it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """The integers of a machine; `autoprune.compress.surgery.integers.neuron` has the formulas.

    Attributes:
        weight_bits: of a weight, with its sign.
        state: bits of U and V, with their sign. fraction: of them, those below a weight's step.
        threshold: bits of a threshold, in steps of a weight.
        decay: bits of a decay, 0 of the form ``none``. decay_form: how that is held.
        reset: what a spike does.
        bias: bits of a bias' mantissa, with its sign. bias_exponent: of its power of 2.
        threshold_per, decay_per: at which granularity they may differ.
    """

    weight_bits: int
    state: int
    fraction: int
    threshold: int
    decay: int
    decay_form: DecayForm
    reset: Reset
    bias: int
    bias_exponent: int
    threshold_per: Granularity
    decay_per: Granularity
