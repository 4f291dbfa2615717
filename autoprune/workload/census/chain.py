"""Chain: a product one operand of which is the result of another one, times a number."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from autoprune.workload.census.attention import Product, count_chain
from autoprune.workload.census.places import Site
from autoprune.workload.census.raw import Raw
from autoprune.workload.census.values import TOLERANCE, product
from autoprune.workload.op import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Two activations that were multiplied.

    Attributes:
        key: of the operation.
        raws: the two.
        scores: whether the product holds scores of tokens with tokens.
    """

    key: str
    raws: tuple[Raw, Raw]
    scores: bool


@dataclass(frozen=True, slots=True)
class Link:
    """What a second product may hold.

    Attributes:
        first: the factors of the first one.
        on_right: whether the first one is the second's left operand, and the third comes behind.
    """

    first: Factors
    on_right: bool

    def ops(
        self,
        first: tuple[Raw, ...],
        second: tuple[Raw, ...],
        sites: tuple[Site, Site],
        known: Op,
    ) -> tuple[tuple[Op, ...], tuple[Op, ...]] | None:
        """The Ops of both, one per order; None where the data are not the first's times a number.

        Args:
            first: the operands of the first product, with all of their time steps.
            second: those of the second.
            sites: where they stand.
            known: the Op of the first one.
        """
        held, third = second if self.on_right else second[::-1]
        a, b = (raw.operand() for raw in first)
        made = product(first[0].x, first[1].x)
        plain = a.x is first[0].x and b.x is first[1].x  # both in units
        if not _proportional(held.x, made):
            made = made.mT
            if not _proportional(held.x, made):
                return None
            a, b = b.mT, a.mT
        done = a.times(b, made if plain else None)
        return count_chain(
            Product(at=sites[0], a=a, b=b),
            Product(at=sites[1], a=third.operand(), b=done),
            on_right=self.on_right,
            scores_first=self.first.scores,
            counted=known,
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
