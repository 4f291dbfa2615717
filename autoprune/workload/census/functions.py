"""What torch's functions are called, and how their arguments are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from autoprune.workload.census.call import Call

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


def adds_nothing(call: Call) -> bool:
    """Whether a number that is added is 0, with which Python's ``sum`` begins."""
    return any(not isinstance(a, Tensor) and a == 0 for a in call.args[:2])


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


def layer_arguments(call: Call) -> Layer:
    """The arguments of a call of ``linear`` or of one of CONVOLUTIONS."""
    given = call.given(_LAYER)
    return Layer(
        x=given["input"],
        weight=given["weight"],
        bias=given.get("bias"),
        convolution=_convolution(given) if call.name in CONVOLUTIONS else LINEAR,
    )


def _convolution(given: Mapping[str, Any]) -> Convolution:
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


def summed_axes(call: Call) -> tuple[int, ...]:
    """The axes over which a call of ``sum`` adds up its tensor."""
    x, given = call.inputs[0], call.given(("input", "dim"))
    over = given.get("dim", given.get("axis"))
    axes = tuple(over) if isinstance(over, tuple | list) else () if over is None else (over,)
    return tuple(int(axis) % x.ndim for axis in axes) or tuple(range(x.ndim))


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
