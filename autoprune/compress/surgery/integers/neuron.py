"""Neurons in integers.

One step of a weight is the unit of what neurons take up; their state has some more bits below it.

    U[t] = U[t-1] (1 - (du + 1) / 2^decay) + 2^fraction X[t]       wrapped to the state's bits
    V[t] = V[t-1] (1 - dv / 2^decay) + U[t] + bias                 clipped to the state's bits
    a spike where V[t] > 2^fraction threshold, which sets V to 0, or takes that off it

products rounded towards 0; bias is a mantissa times a power of 2. That, with V set to 0, is Loihi's
neuron in the bit-accurate model of Lava (lava-nc 0.10.0, lava/proc/lif/models.py,
PyLifModelBitAcc). A machine whose decay is a shift has V[t-1] - floor(V[t-1] / 2^dv) in place of
the product, one that has none V[t-1], and both have no memory in U.

Whole numbers are held as float64, whose products and sums are exact below 2^53: state and decay
have so many bits at most together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, final

import torch
from spikingjelly.activation_based.neuron import SimpleBaseNode
from torch import Tensor

from autoprune.compress.arithmetic import Arithmetic


class State(NamedTuple):
    """U and V of some neurons, in the smallest steps of the state."""

    u: Tensor
    v: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the neurons of a layer hold: whole numbers in float64, for each or for several.

    Attributes:
        du, dv: decays, in parts of 2^decay, or dv a shift. threshold: in steps of a weight.
        bias: added in every step, in the smallest steps of the state.
        subtracts: whether a spike takes the threshold off V in place of setting it to 0.
    """

    du: int
    dv: Tensor
    threshold: Tensor
    bias: Tensor
    subtracts: bool = False


def step(own: Arithmetic, state: State, given: Tensor, numbers: Numbers) -> tuple[State, Tensor]:
    """One time step: the state after it, and whether neurons spike.

    Args:
        own: the machine's bits.
        state: before.
        given: synaptic input in steps of a weight.
        numbers: what the neurons hold.
    """
    half, unity, fraction = 2.0 ** (own.state - 1), 2.0**own.decay, 2.0**own.fraction
    u = given * fraction
    if own.decay_form == "fraction" and numbers.du < unity - 1:  # else it has no memory
        u = (state.u * (1 - (numbers.du + 1) / unity)).trunc() + u
    if bool((u.abs() >= half).any()):
        u = torch.where(u > half, u - 2 * half, u)
        u = torch.where(u <= -half, u + 2 * half, u)
    if own.decay_form == "fraction":
        left = (state.v * (1 - numbers.dv / unity)).trunc()
    else:
        shifted = own.decay_form == "shift"
        left = state.v - (state.v / 2.0**numbers.dv).floor() if shifted else state.v
    v = (left + u + numbers.bias).clamp(1 - half, half - 1)
    threshold = numbers.threshold * fraction
    spikes = v > threshold
    return State(
        u, v - spikes * threshold if numbers.subtracts else v.masked_fill(spikes, 0)
    ), spikes


@final
class FixedNeuron(SimpleBaseNode):
    """The neurons of a layer in a machine's integers.

    Args:
        own: the machine's bits. numbers: what they hold.
        weight_step: what of the input is one step of a weight. offset: what is no synaptic input
            in it, since the layer in front adds it; it is in the bias.
        step_mode: as spikingjelly's neurons have it.

    Shapes: [T, B, ...] -> spikes [T, B, ...]. The input is rounded to whole steps.
    """

    v: Any

    def __init__(
        self,
        own: Arithmetic,
        numbers: Numbers,
        weight_step: Tensor,
        offset: Tensor,
        step_mode: Literal["s", "m"] = "m",
    ) -> None:
        super().__init__(step_mode=step_mode)
        self.own, self.numbers = own, numbers
        self.weight_step, self.offset = weight_step, offset

    def single_step_forward(self, x: Tensor) -> Tensor:
        """One step: [B, ...]."""
        given = ((x.detach().double() - self.offset) / self.weight_step).round()
        before = self.v if isinstance(self.v, State) else State(*[torch.zeros_like(given)] * 2)
        self.v, spikes = step(self.own, before, given, self.numbers)
        return spikes.to(x.dtype)
