"""Chain: a product one operand of which is the result of another one, times a number."""

from __future__ import annotations

import torch
from torch import Tensor

from autoprune.workload.census.attention import count_chain
from autoprune.workload.census.entry import Entry, Link
from autoprune.workload.census.operand import Raw
from autoprune.workload.census.values import TOLERANCE, product


def chained(
    entry: Entry, before: Entry, link: Link, raws: tuple[Raw, ...], first: tuple[Raw, ...]
) -> None:
    """Let a product and the one whose result it may hold be counted in both orders.

    Nothing is done where the data of its operands `raws` are not that of `first` times a number.
    """
    held, third = raws if link.on_right else raws[::-1]
    a, b = (raw.operand() for raw in first)
    made = product(first[0].x, first[1].x)
    plain = a.x is first[0].x and b.x is first[1].x  # both in units
    if not _proportional(held.x, made):
        made = made.mT
        if not _proportional(held.x, made):
            return
        a, b = b.mT, a.mT
    before.ops, entry.ops = count_chain(
        (before.site, entry.site),
        (a, b, third.operand()),
        a.times(b, made if plain else None),
        on_right=link.on_right,
        scores_first=link.factors.scores,
        counted=before.ops[0],
    )


def _proportional(x: Tensor, y: Tensor) -> bool:
    """Whether `x` is `y` times a number, or one per head, [T, B, heads, M, K], within rounding."""
    if x.shape != y.shape:
        return False
    heads = zip(x.unbind(2), y.unbind(2), strict=True)
    return _is_times(x, y) or all(_is_times(*one) for one in heads)


def _is_times(x: Tensor, y: Tensor) -> bool:
    place = y.abs().argmax()
    top = y.flatten()[place]
    made = y * (x.flatten()[place] / top) if top else y
    tolerance = TOLERANCE * torch.finfo(x.dtype).eps
    return bool(((x - made).abs() <= tolerance * x.abs()).all())
