"""Results: where the axes of what an operator gives lie, and what one spike is in it."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from autoprune.workload.census.axes import Axes, Sizes
from autoprune.workload.census.call import Call
from autoprune.workload.census.functions import JOINS
from autoprune.workload.census.trace import Traced


def axes_after(call: Call, inputs: list[Traced], out: Tensor, sizes: Sizes) -> Axes:
    """Where time, samples and channels lie in a result that is no product of matrices."""
    found, name = Axes(), call.name
    if name in ("nonzero", "index_put"):
        return _of_places(call, inputs, out, sizes)
    for x, trace in inputs:
        axes = trace.axes
        if name in ("expand", "repeat"):
            axes = axes.repeated(x, out, sizes)
        elif call.is_view:
            axes = axes.viewed(x, out, sizes)
        elif name in JOINS:
            dim = call.argument("dim", 0) % out.ndim
            inner = x.shape[dim] if name == "cat" else 0
            axes = axes.stacked(dim, len(call.args[0]), sizes, inner=inner)
        elif call.is_reduction and out.ndim < x.ndim:
            axes = axes.reduced(dims_of(call, x))
        elif name != "embedding":  # which only adds an axis behind those of the indices
            axes = axes.aligned(x, out)
        found = found.or_else(axes)
    if name == "cat" and found.time is None and len(out) == sizes.steps:
        behind = found.batch[0] if found.batch else sizes.samples == 1
        if behind and call.argument("dim", 0) == 0:
            return replace(found, time=(0, 1))  # parts of all steps
    return found


def _of_places(call: Call, inputs: list[Traced], out: Tensor, sizes: Sizes) -> Axes:
    """Places of entries lie along no axis; what is written at them lies where it is written to."""
    if call.name == "nonzero":
        return Axes()
    held = [trace.axes for x, trace in inputs if x is call.args[0]]
    if not held and tuple(out.shape[:2]) == (sizes.steps, sizes.samples):
        return Axes((0, 1), (1, 1))
    return held[0] if held else Axes()


def unit_after(call: Call, inputs: list[Traced]) -> float | None:
    """What one spike may be in the result; its data decide whether it is."""
    x, out, name = inputs[0][0], call.out, call.name
    units = {trace.unit for _, trace in inputs}
    unit = units.pop() if len(units) == 1 else None
    if unit is None or not isinstance(out, Tensor | tuple | list):
        return None
    if name in ("mul", "div") and len(inputs) == 1:
        if call.args[0] is not x:
            factor = one_number(call.args[0])
            return factor and (unit * factor if name == "mul" else None)
        factor = one_number(call.args[1])
        return factor and (unit * factor if name == "mul" else unit / factor)
    if name == "mul":
        return unit**2
    if call.is_average and isinstance(out, Tensor) and out.numel():
        kernel = call.argument("kernel_size") if name.startswith("avg") else None
        window = math.prod(each(kernel, int(name[-2]))) if kernel else x.numel() / out.numel()
        return unit / window
    return unit


def one_number(value: object) -> float | None:
    """The number that all entries are; None where they differ, or are 0."""
    if not isinstance(value, Tensor):
        return float(value) if isinstance(value, int | float) else None
    if value.is_complex() or not value.numel():
        return None
    low, high = (float(x) for x in torch.aminmax(value.detach()))
    return low if low == high and low else None


def dims_of(call: Call, x: Tensor) -> tuple[int, ...]:
    """The dimensions of `x` over which a reduction goes."""
    over = call.argument("dim")
    dims = tuple(over) if isinstance(over, list | tuple) else () if over is None else (over,)
    return tuple(dim % x.ndim for dim in dims) or tuple(range(x.ndim))


def each(value: list[int], dims: int) -> tuple[int, ...]:
    """One number per dimension, where one was given for all."""
    return tuple(value) if len(value) == dims else tuple(value) * dims
