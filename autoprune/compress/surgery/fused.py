"""Plain LIF neurons that run through the sLIF's pass: the same spikes, in less time on a CPU."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.errors import CompressionError


@contextmanager
def fused(network: nn.Module) -> Iterator[None]:
    """While this lasts, LIF neurons run as a sLIF that learns nothing; they stay spikingjelly's.

    Spikes and states are the same bit for bit, gradients differ in the last place. Left as they
    are: inputs that are not of float32 on a CPU (spikingjelly has kernels for GPUs), neurons that
    take one step at a time or keep all potentials, and those whose spikes could differ, since a
    division by a tau that is no power of 2 rounds otherwise than the product with 1 / tau. So are
    neurons whose pass is replaced already, by this within this or by anybody.
    """
    twins = {node: twin for node in network.modules() if (twin := _twin(node)) is not None}
    for node, twin in twins.items():
        node.multi_step_forward = _pass(node, twin)
    try:
        yield
    finally:
        for node in twins:
            del node.multi_step_forward


def _twin(node: Any) -> SLIFNode | None:
    """The sLIF that does what a LIF does; None for any other module."""
    if type(node) is not neuron.LIFNode or node.step_mode != "m" or node.store_v_seq:
        return None
    if "multi_step_forward" in vars(node):
        return None
    if node._neuron_precision is not None or math.frexp(node.tau)[0] != 0.5:
        return None
    try:
        return SLIFNode(node)
    except CompressionError:  # of a surrogate gradient that only autograd can follow
        return None


def _pass(node: Any, twin: SLIFNode) -> Any:
    """What takes the place of `multi_step_forward`; the state stays the neuron's own."""
    own = node.multi_step_forward

    def multi_step_forward(x_seq: Tensor) -> Tensor:
        if x_seq.device.type != "cpu" or x_seq.dtype != torch.float32:
            spikes: Tensor = own(x_seq)
            return spikes
        twin.v = node.v
        spikes = twin.multi_step_forward(x_seq)
        node.v = twin.v
        return spikes

    return multi_step_forward
