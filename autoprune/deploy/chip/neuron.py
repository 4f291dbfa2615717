"""Neurons in integers; `autoprune.cost.fixed_point` has the formulas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, final

import torch
from spikingjelly.activation_based.neuron import SimpleBaseNode
from torch import Tensor

from autoprune.cost.fixed_point import FixedPoint


class State(NamedTuple):
    """U and V of some neurons, in the smallest steps of the state."""

    u: Tensor
    v: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the neurons of a layer hold: whole numbers, one for each or one for several.

    Attributes:
        du, dv: decays, in parts of 2^decay. threshold: in steps of a weight.
        bias: added in every step, in the smallest steps of the state.
    """

    du: int
    dv: Tensor
    threshold: Tensor
    bias: Tensor


def step(fixed: FixedPoint, state: State, given: Tensor, own: Numbers) -> tuple[State, Tensor]:
    """One time step: the state after it, V before it is set to 0, and whether neurons spike.

    Args:
        fixed: the machine's bits.
        state: before.
        given: synaptic input in steps of a weight.
        own: what the neurons hold.
    """
    half, unity = 2 ** (fixed.state.bits - 1), 2**fixed.decay.bits
    u = _decayed(state.u, unity - own.du - 1, fixed) + (given << fixed.fraction.bits)
    wrapped = torch.where(u > half, u - 2 * half, u)
    u = torch.where(wrapped <= -half, u + 2 * half, wrapped)
    v = _decayed(state.v, unity - own.dv, fixed) + u + own.bias
    v = v.clamp(1 - half, half - 1)
    return State(u, v), v > own.threshold << fixed.fraction.bits


def _decayed(value: Tensor, factor: int | Tensor, fixed: FixedPoint) -> Tensor:
    """The value times factor / 2^decay, rounded towards 0."""
    return value.sign() * ((value * factor).abs() >> fixed.decay.bits)


@final
class FixedNeuron(SimpleBaseNode):
    """The neurons of a layer in a machine's integers.

    Args:
        fixed: the machine's bits. own: what they hold.
        weight_step: what of the input is one step of a weight. offset: what is no synaptic input
            in it, since the layer in front adds it; it is in the bias.

    Shapes: [T, B, ...] -> spikes [T, B, ...]. The input is rounded to whole steps.
    """

    v: Any

    def __init__(
        self, fixed: FixedPoint, own: Numbers, weight_step: Tensor, offset: Tensor
    ) -> None:
        super().__init__(step_mode="m")
        self.fixed, self.own = fixed, own
        self.weight_step, self.offset = weight_step, offset

    def single_step_forward(self, x: Tensor) -> Tensor:
        """One step: [B, ...]."""
        given = ((x.double() - self.offset) / self.weight_step).round().long()
        before = self.v if isinstance(self.v, State) else State(*[torch.zeros_like(given)] * 2)
        after, spikes = step(self.fixed, before, given, self.own)
        self.v = State(after.u, after.v * ~spikes)
        return spikes.to(x.dtype)
