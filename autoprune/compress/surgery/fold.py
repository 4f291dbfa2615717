"""Fold batch norm into the convolution or linear layer before it.

    weight' = weight * scale        scale = gamma / sqrt(variance + eps)
    bias'   = (bias - mean) * scale + beta

computed in float64 and rounded once. A zero weight stays zero. Which norm follows which layer is
observed on real samples, so that it holds for every network, the user's own included: a norm that
reads what one layer computed and nothing else, each of them called once. That the folded network
computes the same is then checked in float64, where rounding cannot hide a wrong pair.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.errors import InputError
from autoprune.networks.adapter import Weighted

_TOLERANCE = 1e-9
"""Largest difference of logits in float64, relative to the largest: far above rounding, far below
what a wrong pair moves."""


def fold(network: nn.Module, inputs: Tensor) -> tuple[nn.Module, dict[str, str]]:
    """A copy of `network` without the norms that can be folded, and their layers by norm, as paths.

    Args:
        network: in evaluation mode.
        inputs: samples on which it is observed.

    Raises InputError where the folded network computes something else, or does not run.
    """
    pairs = norms_behind_layers(network, inputs)
    exact, without = copy.deepcopy(network).double(), "in float64"
    try:
        before = _outputs(exact, inputs.double())
        _fold(exact, pairs)
        without = "without its batch norms"
        difference = (_outputs(exact, inputs.double()) - before).abs().max()
    except Exception as error:  # the network may be a user's
        raise InputError(
            "--fold",
            f"{type(network).__name__} does not run {without} ({type(error).__name__}: {error})",
            "a network that makes tensors of its input's type, and reads no norm but by calling it",
        ) from error
    if not difference <= _TOLERANCE * before.abs().max():
        raise InputError(
            "--fold",
            f"folding batch norm changes {type(network).__name__} by {float(difference):.3g} in "
            "float64",
            "a network in which what feeds a batch norm feeds nothing else",
        )
    folded = copy.deepcopy(network)
    _fold(folded, pairs)
    return folded, pairs


def make_room(network: nn.Module, pairs: Mapping[str, str]) -> None:
    """Give `network`, in place, the layout of a folded one: no norms, and biases for them."""
    for norm, path in pairs.items():
        layer: Any = network.get_submodule(path)
        if layer.bias is None:
            layer.bias = nn.Parameter(layer.weight.new_zeros(len(layer.weight)))
        network.set_submodule(norm, nn.Identity())
    functional.invalidate_reset_cache(network)


def norms_behind_layers(network: nn.Module, inputs: Tensor) -> dict[str, str]:
    """The layer directly before each norm that can be folded into it; paths by path."""
    outputs: dict[int, tuple[str, Tensor]] = {}  # tensors are held, so that no memory is reused
    calls: Counter[str] = Counter()
    found: dict[str, str] = {}

    def layer(path: str, out: Tensor) -> None:
        calls[path] += 1
        outputs[out.data_ptr()] = (path, out)

    def norm(path: str, read: Tensor) -> None:
        calls[path] += 1
        before, out = outputs.get(read.data_ptr(), ("", read))
        if before and out.numel() == read.numel():
            found[path] = before

    with ExitStack() as stack:
        for path, module in network.named_modules():
            if isinstance(module, Weighted):
                hook = lambda _m, _x, out, path=path: layer(path, out)  # noqa: E731
                stack.callback(module.register_forward_hook(hook).remove)
            elif isinstance(module, _BatchNorm) and module.running_var is not None:
                read = lambda _m, x, path=path: norm(path, x[0])  # noqa: E731
                stack.callback(module.register_forward_pre_hook(read).remove)
        _outputs(network, inputs)
    users = Counter(found.values())
    return {
        norm: path
        for norm, path in found.items()
        if users[path] == 1 and calls[norm] == calls[path] == 1
    }


def _outputs(network: nn.Module, inputs: Tensor) -> Tensor:
    functional.reset_net(network)
    with torch.no_grad():
        out: Tensor = network(inputs)
    functional.reset_net(network)
    return out


def _fold(network: nn.Module, pairs: Mapping[str, str]) -> None:
    norms: dict[str, Any] = {path: network.get_submodule(path) for path in pairs}
    make_room(network, pairs)
    for path, norm in norms.items():
        layer: Any = network.get_submodule(pairs[path])
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        scale = (norm.running_var.double() + norm.eps).rsqrt()
        shift = torch.zeros_like(scale)
        if norm.affine:
            scale, shift = scale * norm.weight.detach().double(), norm.bias.detach().double()
        bias = (bias - norm.running_mean.double()) * scale + shift
        layer.weight.data.copy_(weight * scale.reshape(-1, *[1] * (weight.ndim - 1)))
        layer.bias.data.copy_(bias)
