"""What torch's functions are called, and how their arguments are read."""

from __future__ import annotations

from typing import Any

CONVOLUTIONS = {"conv1d", "conv2d"}
PRODUCTS = {"matmul", "bmm", "mm", "__matmul__", "__rmatmul__"}
MASKS = {"mul", "mul_", "multiply", "__mul__", "__rmul__", "__imul__"}
AVERAGES = {"mean", "avg_pool1d", "avg_pool2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"}
POOLS = {"max_pool1d", "max_pool2d", *AVERAGES}


_LAYER = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")


def layer_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a linear layer or convolution by name."""
    return {**dict(zip(_LAYER, args, strict=False)), **kwargs}


def convolution_geometry(given: dict[str, Any]) -> dict[str, Any]:
    """Stride, padding, dilation, one entry per dimension, and groups of a convolution's call."""
    kernel = given["weight"].shape[2:]
    dilation = _each(given.get("dilation", 1), len(kernel))
    padding = given.get("padding", 0)
    if isinstance(padding, str):
        same = zip(kernel, dilation, strict=True)
        padding = tuple(d * (k - 1) // 2 if padding == "same" else 0 for k, d in same)
    return {
        "stride": _each(given.get("stride", 1), len(kernel)),
        "padding": _each(padding, len(kernel)),
        "dilation": dilation,
        "groups": given.get("groups", 1),
    }


def _each(value: Any, dims: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (int(value),) * dims


def flattened(values: Any) -> list[Any]:
    """Everything inside nested tuples, lists and dictionaries."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, tuple | list):
        return [item for value in values for item in flattened(value)]
    return [values]
