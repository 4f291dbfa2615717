"""Touched: where a product was not zero, so that a neuron behind it has something to add.

Followed to a neuron as truths in the shape of what it became, and counted there; None where it is
everywhere, or not known. A pooled entry is touched where any of its window is.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autoprune.workload.census.call import Call
from autoprune.workload.census.values import nonzero


def touched(product: Tensor, bias: Tensor | None = None) -> Tensor | None:
    """What a layer gave; `bias`, broadcast to it, is what stands where the product is 0."""
    held = nonzero(product, bias)
    return None if held.all() else torch.from_numpy(held)


def after(held: Tensor | None, call: Call, result: Tensor, index: int | None) -> Tensor | None:
    """Behind a view, copy or pool, in its `result`, whose `index` is that of several."""
    if held is None or not (call.is_view or call.is_pool):
        return held
    given = call.args[0]
    if (held.shape, result.dtype) != (given.shape, given.dtype):
        return None
    # With channels last, torch pools images seven times faster.
    form = torch.channels_last if held.ndim == 4 and call.is_pool else torch.contiguous_format
    x = held.detach().contiguous(memory_format=form)
    x = call.function(x.float() if call.is_pool else x, *call.args[1:], **call.named)
    x = x if index is None else x[index]
    return x != 0 if call.is_pool else x


def joined(
    parts: list[tuple[torch.Size, Tensor | None]], dim: int, *, stacked: bool
) -> Tensor | None:
    """What parts touch, joined along `dim` or stacked, by their shapes."""
    held = [torch.ones(shape, dtype=torch.bool) if x is None else x for shape, x in parts]
    if any(x.shape != shape for x, (shape, _) in zip(held, parts, strict=True)):
        return None
    return torch.stack(held, dim) if stacked else torch.cat(held, dim)


def count(held: Tensor | None, entries: int) -> int:
    """How many of a neuron layer's `entries` are touched; all where the numbers differ."""
    return entries if held is None or held.numel() != entries else int(np.count_nonzero(held))
