"""A network in a machine's integers: weights on its grid, neurons as its neurons are.

With k the decay 1 / tau of neurons, g = k where it acts on their input, too, else 1, and s one step
of the weights in front:

    threshold   (theta - V_reset) / (g s), rounded, at least 1: at 0 any bias would fire
    decay       2^decay k, rounded, at least 1 and less than 2^decay; a shift -log2 k, rounded
    bias        2^fraction (what the layer in front adds) / s, rounded to a mantissa times a power
                of 2
    U           has no memory (du = 2^decay - 1)

Batch norm is folded first. s is that of each output channel, or, where a machine's neurons have one
threshold per layer, of the whole layer. In front of neurons that no weight drives, such as those
behind a product of attention, stand 4096 steps to the threshold: an assumption. A machine fires
where V is above the threshold, and the network where it reaches it: what no weight drives, sums of
spikes, often equals it to the bit, and its threshold is one step lower. Thresholds and decays that
differ more finely than the machine allows are the mean of those that it joins. What does not fit
its bits is the nearest that does, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.surgery.fold import fold
from autoprune.compress.surgery.integers.front import Front, fronts
from autoprune.compress.surgery.integers.neuron import FixedNeuron, Numbers
from autoprune.compress.surgery.rounding import round_weights
from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.errors import InputError
from autoprune.networks.adapter import ModelAdapter, Neuron
from autoprune.networks.granularity import Granularity

_STEPS = 4096
"""To the threshold, where no weights give a step."""

_KNOWN = (neuron.IFNode, neuron.LIFNode, neuron.ParametricLIFNode, SLIFNode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A network as a machine holds it.

    Attributes:
        network: in the machine's integers.
        bits: of its weights. arithmetic: the machine's.
        clipped: numbers of neurons that were beyond the machine's bits. numbers: all there are.
    """

    network: nn.Module
    bits: int
    arithmetic: Arithmetic
    clipped: int
    numbers: int


def in_integers(
    network: nn.Module, adapter: ModelAdapter, arithmetic: Arithmetic, bits: int, inputs: Tensor
) -> Held:
    """A copy of a network in a machine's integers.

    Args:
        network: in evaluation mode; it stays as it is.
        adapter: says which of its neurons are of one channel.
        arithmetic: the machine's.
        bits: of a weight, at most the machine's.
        inputs: what the network is called with, a few samples, on which it is observed.

    Raises InputError for neurons that the machine does not have, a decay that it cannot hold, and
    batch norm that cannot be folded.
    """
    held, _ = fold(network.eval(), inputs)
    shared = arithmetic.threshold_per == "layer"
    round_weights(held, bits, shared=shared)
    before = fronts(held, inputs, bits, shared=shared)
    channels = {
        id(getattr(site.owner, site.name)): site.channels
        for branches in adapter.branches(held)
        for branch in branches
        for site in branch.neurons
    }
    converter = _Converter(arithmetic)
    for path, module in [*held.named_modules()]:
        if isinstance(module, Neuron) and path in before:  # others take no part in a pass
            own = converter.neuron(path, module, before[path], channels.get(id(module)))
            held.set_submodule(path, own)
    functional.invalidate_reset_cache(held)
    return Held(
        network=held,
        bits=bits,
        arithmetic=arithmetic,
        clipped=converter.clipped,
        numbers=converter.numbers,
    )


@final
class _Converter:
    """Makes neurons of a machine, and counts the numbers that are beyond its bits."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self.own = arithmetic
        self.clipped = self.numbers = 0

    def neuron(
        self, path: str, module: Any, front: Front, channels: tuple[int, ...] | None
    ) -> FixedNeuron:
        """The neurons in a module's place; `channels` as in `NeuronSite`."""
        own, shape = self.own, front.step.shape
        self._check(path, module)
        k = _joined(_spread(_decay(module), front), own.decay_per, channels)
        theta = module.threshold if isinstance(module, SLIFNode) else module.v_threshold
        rest = module.v_reset or 0.0
        gain = k if getattr(module, "decay_input", False) else torch.ones_like(k)
        threshold = (_spread(theta, front) - rest) / gain
        threshold = _joined(threshold, own.threshold_per, channels)
        driven = front.step > 0
        step = torch.where(driven, front.step, threshold / _STEPS)
        if own.threshold_per == "layer":  # where no weight drives a channel, too
            step = step.max().expand(shape)
        below = (threshold / step - 1e-6).ceil() - 1
        whole = torch.where(driven, (threshold / step).round(), below)
        return FixedNeuron(
            own,
            Numbers(
                du=2**own.decay - 1,
                dv=self._decays(path, k),
                threshold=self._clip(whole, 1, 2**own.threshold - 1),
                bias=self._bias(front.offset / step * 2**own.fraction),
                subtracts=module.v_reset is None,
            ),
            step,
            front.offset,
            module.step_mode,
        )

    def _check(self, path: str, module: Any) -> None:
        if type(module) not in _KNOWN:
            known = ", ".join(kind.__name__ for kind in _KNOWN)
            raise InputError(f"arithmetic: neurons {path}", type(module).__name__, known)
        wanted = "subtraction" if module.v_reset is None else "zero"
        if self.own.reset not in (wanted, "either"):
            words = {"subtraction": "a threshold taken off V", "zero": "V set"}
            raise InputError(
                f"arithmetic: neurons {path}",
                f"{words[wanted]} by a spike",
                words[self.own.reset],
            )

    def _decays(self, path: str, k: Tensor) -> Tensor:
        most = 2**self.own.decay - 1
        if self.own.decay_form == "shift":
            whole = -torch.log2(k).round()  # of neurons that only integrate infinite
            wrong, legal = (whole < 1) | (whole > most), f"a decay 1 / tau of 2^-1 to 2^-{most}"
        else:
            whole = (k * (most + 1)).round()
            wrong = (k > 0) & ((whole < 1) | (whole > most))
            legal = f"a decay 1 / tau of 1 to {most} parts of {most + 1}" if most else "no decay"
        if bool(wrong.any()):
            tau = float(1 / k[wrong][0])
            raise InputError(f"arithmetic: neurons {path}", f"tau is {tau:.6g} steps", legal)
        return whole

    def _bias(self, bias: Tensor) -> Tensor:
        most = 2 ** (self.own.bias - 1) - 1
        exponent = torch.log2(bias.abs().clamp(min=1) / most).ceil()
        power = torch.exp2(exponent.clamp(0, 2**self.own.bias_exponent - 1))
        return self._clip((bias / power).round(), -most, most) * power

    def _clip(self, values: Tensor, least: int, most: int) -> Tensor:
        self.numbers += values.numel()
        self.clipped += int(((values < least) | (values > most)).sum())
        return values.clamp(least, most)


def _decay(module: Any) -> Any:
    """The factor k = 1 / tau; 0 of neurons that only integrate."""
    if isinstance(module, SLIFNode):
        return module.decay
    if type(module) is neuron.ParametricLIFNode:
        return module.w.sigmoid()
    return 1 / module.tau if type(module) is neuron.LIFNode else 0.0


def _spread(value: Any, front: Front) -> Tensor:
    """One number for each neuron, in float64."""
    given = torch.as_tensor(value).detach().to(front.step)
    return given.expand(front.step.shape)


def _joined(values: Tensor, per: Granularity, channels: tuple[int, ...] | None) -> Tensor:
    """The mean over neurons that have one value there."""
    axes = [*range(values.ndim)]
    if per == "channel":
        own = (1,) * (values.ndim - len(channels)) + channels if channels else values.shape
        axes = [axis for axis in axes if own[axis] == 1]
    if per == "neuron" or not axes:
        return values
    return values.mean(axes, keepdim=True).expand(values.shape)
