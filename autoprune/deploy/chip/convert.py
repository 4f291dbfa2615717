"""A graph of NIR, whose weights stand on a grid, with neurons in a machine's integers.

With g the gain of NIR's input, k its decay, and s one step of the weights in front:

    threshold   (V_threshold - V_reset) / (g s), rounded, at least 1: at 0 any bias would fire
    decay       2^decay k, rounded, at least 1 and less than 2^decay
    bias        2^fraction (k (V_leak - V_reset) / g + the layer's bias) / s, rounded to a mantissa
                times a power of 2
    U           has no memory (du = 2^decay - 1)

s is that of each output channel. In front of neurons that no weight drives, such as those behind a
product of attention, stand 4096 steps to the threshold: an assumption. Thresholds
and decays that differ more finely than the machine allows are the mean of those that it joins.
What does not fit its bits is the nearest that does, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autoprune.cost.arithmetic import Finest
from autoprune.cost.fixed_point import FixedPoint
from autoprune.cost.machine import Machine
from autoprune.deploy.chip.in_integers import Clipped
from autoprune.deploy.chip.neuron import FixedNeuron, Numbers
from autoprune.errors import InputError
from autoprune.networks.granularity import Differing
from autoprune.networks.nir.network import NirNetwork

_STEPS = 4096
"""To the threshold, where no weights give a step."""

_WEIGHTED = ("Affine", "Linear", "Conv1d", "Conv2d")
Array = NDArray[np.float64]


def in_integers(network: NirNetwork, machine: Machine, weight_bits: int) -> Clipped:
    """Give `network`, in place, the neurons of a machine that has an arithmetic.

    Args:
        network: its weights are rounded to `weight_bits`.
        machine: with an arithmetic.
        weight_bits: at most the machine's.

    Raises InputError for neurons that the machine does not have, and a decay that it cannot hold.
    """
    assert machine.arithmetic is not None
    converter = _Converter(network, machine.arithmetic, machine.neurons.known(), weight_bits)
    for name, node in network.graph.nodes.items():
        kind = type(node).__name__
        if kind in ("LIF", "IF"):
            network.exchange(name, converter.neuron(name, node))
        elif kind in ("CubaLIF", "LI", "CubaLI", "I"):
            raise InputError(f"{machine.name}: node {name!r}", f"neurons {kind}", "LIF or IF")
    return Clipped(clipped=converter.clipped, all=converter.all)


@final
class _Converter:
    def __init__(
        self,
        network: NirNetwork,
        fixed: FixedPoint,
        finest: Mapping[Differing, Finest],
        weight_bits: int,
    ) -> None:
        self.network, self.fixed, self.finest = network, fixed, finest
        self.largest = 2 ** (weight_bits - 1) - 1
        self.clipped = self.all = 0

    def neuron(self, name: str, node: Any) -> FixedNeuron:
        fixed, dt = self.fixed, self.network.dt
        rest = node.v_reset.astype(np.float64)
        if type(node).__name__ == "IF":
            k, gain, leak = np.zeros(rest.shape), node.r * dt, rest
        else:
            k = dt / node.tau.astype(np.float64)
            gain, leak = node.r * k, node.v_leak
        k = self._joined("decay", k)
        threshold = self._joined("threshold", (node.v_threshold - rest) / gain)
        weight_step, offset = self._grid(name, threshold)
        constant = k * (leak - rest) / gain + offset
        whole = np.rint(threshold / weight_step)
        return FixedNeuron(
            fixed,
            Numbers(
                du=fixed.decay.most,
                dv=_whole(self._decay(name, k)),
                threshold=_whole(self._clip(whole, 1, fixed.threshold.most)),
                bias=_whole(self._bias(constant / weight_step * 2**fixed.fraction.bits)),
            ),
            torch.as_tensor(weight_step),
            torch.as_tensor(offset),
        )

    def _joined(self, what: Differing, values: Array) -> Array:
        """The mean over neurons that have one value there."""
        own = self.finest.get(what)
        first = {"neuron": values.ndim, "channel": 1, "layer": 0}[own.finest if own else "neuron"]
        axes = tuple(range(first, values.ndim))
        return np.broadcast_to(values.mean(axes, keepdims=True) if axes else values, values.shape)

    def _grid(self, name: str, threshold: Array) -> tuple[Array, Array]:
        """A step of the weights in front of neurons, and what their layer adds, for each neuron."""
        nodes, before = self.network.graph.nodes, self.network.before[name]
        front = nodes[before[0]]
        if len(before) > 1 or type(front).__name__ not in _WEIGHTED:
            return threshold / _STEPS, np.zeros(threshold.shape)
        most = np.abs(front.weight).reshape(len(front.weight), -1).max(1).astype(np.float64)
        step = most / self.largest
        bias = getattr(front, "bias", None)
        held = np.zeros(len(most)) if bias is None else bias.astype(np.float64)
        axes = (-1, *[1] * (threshold.ndim - 1))
        shape = threshold.shape
        step = np.broadcast_to(step.reshape(axes), shape)
        offset = np.broadcast_to(held.reshape(axes), shape).copy()
        return np.where(step > 0, step, threshold / _STEPS), offset  # 0: all weights are gone

    def _decay(self, name: str, k: Array) -> Array:
        unity = 2**self.fixed.decay.bits
        whole = np.rint(k * unity)
        wrong = (k > 0) & ((whole < 1) | (whole >= unity))
        if wrong.any():
            raise InputError(
                f"arithmetic: neurons {name}",
                f"tau is {1 / k[wrong].flat[0]:.6g} steps",
                f"a decay 1 / tau of 1 to {unity - 1} parts of {unity}",
            )
        return whole

    def _bias(self, bias: Array) -> Array:
        most = 2 ** (self.fixed.bias.bits - 1) - 1
        exponent = np.ceil(np.log2(np.maximum(np.abs(bias), 1) / most)).clip(0)
        power = 2.0 ** np.minimum(exponent, self.fixed.bias_exponent.most)
        return self._clip(np.rint(bias / power), -most, most) * power

    def _clip(self, values: Array, least: int, most: int) -> Array:
        self.all += values.size
        self.clipped += int(((values < least) | (values > most)).sum())
        return values.clip(least, most)


def _whole(values: Array) -> Tensor:
    return torch.as_tensor(values.astype(np.int64))
