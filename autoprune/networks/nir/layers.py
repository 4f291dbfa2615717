"""The nodes of NIR that have no state, as modules that take [T, B, ...]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
import torch
from spikingjelly.activation_based import layer
from torch import Tensor, nn


def _numbers(value: Any) -> Any:
    """An int or a tuple of them, as torch takes it; words, such as 'same', as they are."""
    if isinstance(value, str):
        return value
    whole = np.asarray(value)
    return int(whole) if whole.ndim == 0 else tuple(int(n) for n in whole)


def _put(module: Any, weight: Any, bias: Any) -> nn.Module:
    for parameter, values in ((module.weight, weight), (module.bias, bias)):
        if values is not None:
            given = torch.as_tensor(np.asarray(values), dtype=torch.float32)
            if given.shape != parameter.shape:
                said = f"{list(given.shape)} in place of {list(parameter.shape)}"
                raise ValueError(f"weight or bias of {said}")
            parameter.data.copy_(given)
    whole: nn.Module = module
    return whole


def _linear(node: Any) -> nn.Module:
    weight, bias = node.weight, getattr(node, "bias", None)
    if weight.ndim != 2:
        raise ValueError(f"a weight of {weight.ndim} axes; expected [outputs, inputs]")
    return _put(nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None), weight, bias)


def _convolution(kind: type[Any]) -> Callable[[Any], nn.Module]:
    def build(node: Any) -> nn.Module:
        weight, groups = node.weight, int(node.groups)
        module = kind(
            weight.shape[1] * groups,
            weight.shape[0],
            weight.shape[2:],
            stride=_numbers(node.stride),
            padding=_numbers(node.padding),
            dilation=_numbers(node.dilation),
            groups=groups,
            step_mode="m",
        )
        return _put(module, weight, node.bias)

    return build


def _pool(kind: type[Any]) -> Callable[[Any], nn.Module]:
    def build(node: Any) -> nn.Module:
        pool: nn.Module = kind(
            _numbers(node.kernel_size),
            stride=_numbers(node.stride),
            padding=_numbers(node.padding),
            step_mode="m",
        )
        return pool

    return build


@final
class SumPool(nn.Module):
    """Sums over windows; beyond the border are zeros."""

    def __init__(self, node: Any) -> None:
        super().__init__()
        self.kernel = tuple(np.broadcast_to(_numbers(node.kernel_size), 2).tolist())
        self.stride, self.padding = _numbers(node.stride), _numbers(node.padding)

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, C, H, W] -> [T, B, C, H', W']."""
        kernel = [int(n) for n in self.kernel]
        mean = nn.functional.avg_pool2d(x.flatten(0, 1), kernel, self.stride, self.padding)
        return (mean * (kernel[0] * kernel[1])).unflatten(0, x.shape[:2])


@final
class Flatten(nn.Module):
    """Axes `start` to `end` as one; the first axis of the signal is 0."""

    def __init__(self, node: Any) -> None:
        super().__init__()
        start, end = int(node.start_dim), int(node.end_dim)
        self.start, self.end = (n + 2 if n >= 0 else n for n in (start, end))

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, ...] -> [T, B, ...]."""
        return x.flatten(self.start, self.end)


@final
class Scale(nn.Module):
    """The signal times a number of its own for every value."""

    scale: Tensor

    def __init__(self, node: Any) -> None:
        super().__init__()
        self.register_buffer("scale", torch.as_tensor(node.scale, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, ...] -> [T, B, ...]."""
        return x * self.scale


@final
class Threshold(nn.Module):
    """1 where the signal is above the threshold, else 0."""

    threshold: Tensor

    def __init__(self, node: Any) -> None:
        super().__init__()
        self.register_buffer("threshold", torch.as_tensor(node.threshold, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, ...] -> [T, B, ...]."""
        return (x > self.threshold).to(x.dtype)


@final
class View(nn.Module):
    """Reshape, Permute, Slice and Sum: what they do to a signal behind its axes T and B."""

    def __init__(self, act: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, ...] -> [T, B, ...]."""
        return self.act(x)


def _reshape(node: Any) -> nn.Module:
    shape = tuple(np.atleast_1d(node.shape).tolist())
    return View(lambda x: x.reshape(*x.shape[:2], *shape))


def _permute(node: Any) -> nn.Module:
    axes = [2 + axis for axis in np.atleast_1d(node.axes).tolist()]
    return View(lambda x: x.permute(0, 1, *axes))


def _slice(node: Any) -> nn.Module:
    axis, start, stop = 2 + int(node.axis), int(node.start), int(node.stop)
    return View(lambda x: x.narrow(axis, start, stop - start))


def _sum(node: Any) -> nn.Module:
    axes = [2 + axis for axis in np.atleast_1d(node.axes).tolist()]
    return View(lambda x: x.sum(axes, keepdim=True))


@final
class Product(nn.Module):
    """The product of two signals.

    Attributes:
        left, right: the nodes that emit them.
    """

    def __init__(self, node: Any) -> None:
        super().__init__()
        self.left, self.right = str(node.left), str(node.right)
        kinds: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
            "matmul": torch.matmul,
            "multiply": torch.mul,
        }
        self.act = kinds[node.kind]

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """[T, B, ...] and [T, B, ...] -> [T, B, ...]."""
        return self.act(left, right)


LAYERS: Mapping[str, Callable[[Any], nn.Module]] = {
    "Input": lambda node: nn.Identity(),
    "Output": lambda node: nn.Identity(),
    "Affine": _linear,
    "Linear": _linear,
    "Scale": Scale,
    "Conv1d": _convolution(layer.Conv1d),
    "Conv2d": _convolution(layer.Conv2d),
    "Flatten": Flatten,
    "AvgPool2d": _pool(layer.AvgPool2d),
    "SumPool2d": SumPool,
    "Threshold": Threshold,
    "AutoprunePool": _pool(layer.MaxPool2d),
    "AutopruneReshape": _reshape,
    "AutoprunePermute": _permute,
    "AutopruneSlice": _slice,
    "AutopruneSum": _sum,
    "AutopruneProduct": Product,
}
"""What builds the module of a node, by the node's type; neurons and delays have states."""
