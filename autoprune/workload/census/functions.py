"""What torch's functions are called, and how their arguments are read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

CONVOLUTIONS = {"conv1d", "conv2d"}
PRODUCTS = {
    "matmul": "matmul",
    "__matmul__": "matmul",
    "__rmatmul__": "matmul",
    "bmm": "bmm",
    "mm": "mm",
}
"""Matrix products, and what fvcore calls them."""
MASKS = {"mul", "mul_", "multiply", "__mul__", "__rmul__", "__imul__"}
ADDITIONS = {
    *("add", "add_", "__add__", "__radd__", "__iadd__"),
    *("sub", "sub_", "subtract", "rsub", "__sub__", "__rsub__", "__isub__"),
}
AVERAGES = {"mean", "avg_pool1d", "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"}
POOLS = {"max_pool1d", "max_pool2d", *AVERAGES}
RESHAPES = {
    *("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "contiguous", "clone"),
    *("permute", "transpose", "movedim", "swapaxes", "__get__", "detach"),
}
"""What shows all entries of a tensor once; ``__get__`` is a property such as mT."""
VIEWS = {
    *RESHAPES,
    *("expand", "expand_as", "chunk", "split", "unbind", "__getitem__", "narrow", "select"),
}
"""What shows entries of a tensor and makes no new ones."""


def adds_nothing(args: tuple[Any, ...]) -> bool:
    """Whether a number that is added is 0, with which Python's ``sum`` begins."""
    return any(not isinstance(a, Tensor) and a == 0 for a in args[:2])


def is_array(value: Any) -> bool:
    """Whether it is a tensor of numbers, not a size that torch hands on as one while it records."""
    return isinstance(value, Tensor) and (value.ndim > 0 or value.is_floating_point())


def is_in_place(name: str, kwargs: dict[str, Any]) -> bool:
    """Whether a function of that name writes into its first argument, or one given as ``out``."""
    written = name.endswith("_") and (not name.endswith("__") or name in _WRITING)
    return written or "out" in kwargs


_WRITING = {"__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "__setitem__"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """How a convolution walks over its input, one entry per dimension; a linear layer has none."""

    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1


LINEAR = Convolution()
"""What a linear layer has in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The arguments of a linear layer or convolution."""

    x: Tensor
    weight: Tensor
    bias: Tensor | None = None
    convolution: Convolution = LINEAR


_LAYER = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")


def layer_arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Layer:
    """The arguments of a call of ``linear`` or of one of CONVOLUTIONS."""
    given = {**dict(zip(_LAYER, args, strict=False)), **kwargs}
    return Layer(
        x=given["input"],
        weight=given["weight"],
        bias=given.get("bias"),
        convolution=_convolution(given) if name in CONVOLUTIONS else LINEAR,
    )


def _convolution(given: dict[str, Any]) -> Convolution:
    kernel = given["weight"].shape[2:]
    dilation = _each(given.get("dilation", 1), len(kernel))
    padding = given.get("padding", 0)
    if isinstance(padding, str):
        same = zip(kernel, dilation, strict=True)
        padding = tuple(d * (k - 1) // 2 if padding == "same" else 0 for k, d in same)
    return Convolution(
        stride=_each(given.get("stride", 1), len(kernel)),
        padding=_each(padding, len(kernel)),
        dilation=dilation,
        groups=given.get("groups", 1),
    )


def _each(value: Any, dims: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (int(value),) * dims


def summed_axes(dims: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, ...]:
    """The axes over which a call of ``sum`` adds up a tensor of so many dimensions."""
    given = args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis"))
    axes = tuple(given) if isinstance(given, tuple | list) else () if given is None else (given,)
    return tuple(int(axis) % dims for axis in axes) or tuple(range(dims))


def einsum_factors(equation: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, bool] | None:
    """`a` and `b` of a two-operand einsum as [..., M, K] and [..., K, N], and whether it gives
    [..., M, N]; None where it is no matrix product: an ellipsis, a letter twice in an operand, or a
    sum inside one operand.
    """
    inputs, _, output = equation.replace(" ", "").partition("->")
    left, _, right = inputs.partition(",")
    letters = set(left) | set(right)
    if not output or "." in equation or len({*left}) < len(left) or len({*right}) < len(right):
        return None
    shared = [x for x in left if x in right]
    batch, summed = [x for x in shared if x in output], [x for x in shared if x not in output]
    rows, columns = ([x for x in own if x not in shared] for own in (left, right))
    if not summed or not {*rows, *columns} <= {*output} or not {*output} <= letters:
        return None
    sizes = dict(zip(left, a.shape, strict=True)) | dict(zip(right, b.shape, strict=True))
    m, k, n = (math.prod(sizes[x] for x in part) for part in (rows, summed, columns))
    lead = [sizes[x] for x in batch]
    first = a.permute([left.index(x) for x in (*batch, *rows, *summed)]).reshape(*lead, m, k)
    second = b.permute([right.index(x) for x in (*batch, *summed, *columns)]).reshape(*lead, k, n)
    in_order = len(rows) == len(columns) == 1 and [*batch, *rows, *columns] == [*output]
    return first, second, in_order


def flattened(values: Any) -> list[Any]:
    """Everything inside nested tuples, lists and dictionaries."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, tuple | list):
        return [item for value in values for item in flattened(value)]
    return [values]
