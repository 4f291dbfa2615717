"""What stands in front of a network's neurons: the grid of the weights that drive them.

A pass on samples at hand says which layer feeds which neurons, with nothing between but what moves
values, batch norm and the largest of some. Two more say what that makes of the grid: every layer
gives its bias alone, and then its bias and one step of its weights, and what neurons take up is
where a weight's step and the bias arrive, through whatever moves them.
"""

from __future__ import annotations

import copy
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.compress.surgery.rounding import grid
from autoprune.errors import InputError
from autoprune.networks.adapter import Neuron, Weighted
from autoprune.networks.trace import PERMUTES, SAME, VIEWS, Step, trace

_PASSES = (_BatchNorm, nn.MaxPool2d)
"""Layers behind which an input is still an offset and whole steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What stands in front of the neurons of a layer, in float64, of the neurons' shape.

    Attributes:
        step: what of their input is one step of a weight; 0 where no weight drives them.
        offset: what of their input is no product of a weight.
    """

    step: Tensor
    offset: Tensor


def fronts(network: nn.Module, inputs: Tensor, bits: int, *, shared: bool) -> dict[str, Front]:
    """What stands in front of all neurons of a network, by their paths.

    Args:
        network: in evaluation mode; its weights stand on a grid of `bits` bits.
        inputs: what it is called with.
        bits: of that grid.
        shared: whether it is one for all channels of a layer.

    Raises InputError for neurons that are called twice in a pass.
    """
    exact = copy.deepcopy(network).double()
    layers = _layers_in_front(exact, inputs.double())
    steps = {
        path: grid(module.weight.detach(), bits, shared=shared)
        for path, module in exact.named_modules()
        if isinstance(module, Weighted)
    }
    offsets = _seen(exact, inputs.double(), {p: torch.zeros_like(s) for p, s in steps.items()})
    with_step = _seen(exact, inputs.double(), steps)
    return {
        path: Front(
            step=(with_step[path] - offset).abs() if layers[path] else torch.zeros_like(offset),
            offset=offset if layers[path] else torch.zeros_like(offset),
        )
        for path, offset in offsets.items()
    }


def _layers_in_front(network: nn.Module, inputs: Tensor) -> dict[str, bool]:
    """Whether, by the path of neurons, one layer's weights alone drive them."""
    made: dict[int, Step] = {}
    found: dict[str, bool] = {}
    steps, _ = trace(network, inputs)
    for step in steps:
        if isinstance(step.module, Neuron):
            if step.path in found and step.module.step_mode == "m":
                raise InputError(f"arithmetic: neurons {step.path}", "called twice in a pass")
            found[step.path] = _driven(step.args[0], made)
        for out in step.out:
            made.setdefault(id(out), step)
    return found


def _driven(taken: Any, made: dict[int, Step]) -> bool:
    while (step := made.get(id(taken))) is not None and step.args:
        if isinstance(step.module, Weighted):
            return True
        if step.module is None:
            moves = step.name in (*SAME, *VIEWS, *PERMUTES)
        else:
            moves = isinstance(step.module, _PASSES)
        if not moves:
            return False
        taken = step.args[0]
    return False


def _seen(network: nn.Module, inputs: Tensor, steps: dict[str, Tensor]) -> dict[str, Tensor]:
    """What neurons take up where every layer gives its bias and these, one for each channel."""
    found: dict[str, Tensor] = {}

    def give(module: Any, out: Tensor, own: Tensor) -> Tensor:
        behind = {nn.Linear: 0, nn.Conv1d: 1, nn.Conv2d: 2}
        axes = next(count for kind, count in behind.items() if isinstance(module, kind))
        value = own if module.bias is None else own + module.bias.detach()
        return value.reshape(-1, *[1] * axes).expand_as(out).clone()

    def note(module: Any, taken: Tensor, path: str) -> None:
        found.setdefault(path, (taken[0, 0] if module.step_mode == "m" else taken[0]).clone())

    with ExitStack() as stack, torch.no_grad():
        for path, module in network.named_modules():
            if isinstance(module, Weighted):
                own = steps[path]
                hook = lambda m, _x, out, own=own: give(m, out, own)  # noqa: E731
                stack.callback(module.register_forward_hook(hook).remove)
            elif isinstance(module, Neuron):
                read = lambda m, x, path=path: note(m, x[0], path)  # noqa: E731
                stack.callback(module.register_forward_pre_hook(read).remove)
        functional.reset_net(network)
        network(inputs)
    functional.reset_net(network)
    return found
