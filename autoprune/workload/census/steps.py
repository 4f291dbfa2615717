"""Steps: a convolution one of whose image axes is time, as the layer that it is in every step.

Of frames [B, C, T, H, W] a kernel of 1 x 3 x 3 is a convolution of two dimensions, T times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from autoprune.workload.census.axes import Axes, Sizes
from autoprune.workload.census.functions import Convolution
from autoprune.workload.census.trace import Traced

Apart = tuple[Traced, Tensor, Convolution, Callable[[Tensor], Tensor]]
"""Input [T, B, C, ...], weight and walk of the layer of one step, and what makes of an output of
all steps [B, C, ..., T, ...] such a tensor."""


def over_steps(x: Traced, weight: Tensor, walk: Convolution, sizes: Sizes) -> Apart | None:
    """A convolution of one step; None where time is no image axis, or the kernel mixes steps.

    Args:
        x: its input, [B, C, ...].
        weight: of all dimensions.
        walk: likewise.
        sizes: how many steps there are.
    """
    tensor, trace = x
    (dim, inner), batch = trace.axes.time or (0, 1), trace.axes.batch
    if dim < 2 or sizes.steps == 1 or (batch is not None and batch[0] != 0):
        return None
    if (weight.shape[dim], walk.stride[dim - 2], walk.padding[dim - 2]) != (1, 1, 0):
        return None
    gone = tensor.shape[dim] == sizes.steps and not (walk.transposed and weight.ndim == 3)

    def split(image: Tensor) -> Tensor:
        if gone:
            return image.movedim(dim, 0)
        parts = image.unflatten(dim, (-1, sizes.steps, inner)).movedim(dim + 1, 0)
        return parts.flatten(dim + 1, dim + 2)

    axes = Axes(time=(0, 1), batch=batch and (1, batch[1]))
    shown = split(tensor), replace(trace, axes=axes)
    if not gone:
        return shown, weight, walk, split
    left = [place for place in range(weight.ndim - 2) if place != dim - 2]
    walk = replace(
        walk,
        stride=tuple(walk.stride[place] for place in left),
        padding=tuple(walk.padding[place] for place in left),
        dilation=tuple(walk.dilation[place] for place in left),
    )
    return shown, weight.squeeze(dim), walk, split
