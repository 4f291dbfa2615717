"""Contraction: a product of matrices that is written as a product entry by entry and a sum.

``(x[..., None] * w).sum(-2)`` is ``x @ w``. Of two factors in the shape of their product, the
dimensions that are added up are K; those along which one of them varies alone are rows M or columns
N; the others count the matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from autoprune.workload.census.axes import Axes, Axis
from autoprune.workload.census.call import Call
from autoprune.workload.census.values import version

_RESHAPES = {"view", "_unsafe_view", "_reshape_alias"}


@dataclass(slots=True, eq=False)
class Entrywise:
    """Two tensors that were multiplied entry by entry: no MAC, unless such products are added up.

    Attributes:
        call: the operator that did it. path: the module.
        entries: of the product.
        factors: the two. versions: of their memory.
        is_scale: whether one of the two is a whole parameter, no part of one.
        selects: whether one leaves entries of the other out and multiplies nothing.
        is_alone: whether the operator gave it and nothing else.
        is_summed: whether it was added to another one.
        is_counted: whether it is among the operations.
    """

    call: str
    path: str
    entries: int
    factors: tuple[Tensor, Tensor]
    versions: tuple[float, float]
    is_scale: bool
    selects: bool = False
    is_alone: bool = True
    is_summed: bool = False
    is_counted: bool = False

    @property
    def is_named(self) -> bool:
        """Whether it takes MACs that are not counted."""
        return self.is_summed and not self.selects and not self.is_counted


@dataclass(frozen=True, slots=True)
class Pair:
    """Both factors in the shape of their product, however it has been viewed since.

    Attributes:
        made: when they were multiplied.
        left, right: the factors. traces: theirs; None of what does not depend on the input.
    """

    made: Entrywise
    left: Tensor
    right: Tensor
    traces: tuple[Any, Any]

    def adds_up(self, dims: tuple[int, ...]) -> bool:
        """Whether a sum over `dims` adds up products of numbers that differ."""
        return any(_varies(self.left, d) and _varies(self.right, d) for d in dims)

    def then(self, call: Call) -> Pair | None:
        """After a view or copy of the product; None where it tells no more."""
        if call.is_in_place:
            return None
        if not call.is_view:
            return self
        left, right = (
            x.reshape(call.args[1])
            if call.name in _RESHAPES
            else call.function(x, *call.args[1:], **call.named)
            for x in (self.left, self.right)
        )
        return replace(self, left=left, right=right) if isinstance(left, Tensor) else None

    def matrices(self, dims: tuple[int, ...], axes: Axes, *, weight: bool) -> Matrices | None:
        """What is multiplied where the product is added up over `dims`; None where nothing is.

        Args:
            dims: of the product.
            axes: of the product.
            weight: whether `right` is a weight, which knows neither time nor samples.
        """
        x, w = self.left, self.right
        if tuple(map(version, self.made.factors)) != self.made.versions:
            return None
        both = [d for d in range(x.ndim) if _varies(x, d) and _varies(w, d)]
        k = [d for d in dims if x.shape[d] > 1]
        if not k or not set(k) <= set(both):
            return None
        kept = [d for d in range(x.ndim) if d not in dims]
        shared = () if weight else [axis[0] for axis in (axes.time, axes.batch) if axis]
        g = [d for d in kept if d in both or d in shared]
        n = [d for d in kept if d not in g and _varies(w, d)]
        m = [d for d in kept if d not in g and d not in n]
        left = _matrices(x, g, m, k), _axes(axes, x, g, m, k)
        right = _matrices(w, g, k, n), _axes(axes, w, g, k, n)
        return left, right, n[0] if len(n) == 1 else None


Matrices = tuple[tuple[Tensor, Axes], tuple[Tensor, Axes], int | None]
"""[G, M, K] and [G, K, N], where their axes lie if they are activations, and which dimension of the
product is N; None where there is none or several."""


def is_outer(x: Tensor, y: Tensor) -> bool:
    """Whether each of two tensors of one shape varies along a dimension where the other does not.

    Along a dimension along which a tensor was expanded it does not.
    """
    ways = [(_varies(x, d), _varies(y, d)) for d in range(x.ndim)]
    return (True, False) in ways and (False, True) in ways


def _varies(x: Tensor, dim: int) -> bool:
    return x.shape[dim] > 1 and x.stride(dim) != 0


def _matrices(x: Tensor, *groups: list[int]) -> Tensor:
    """`x` with every group of dimensions as one, and the first entry of the others."""
    order = [d for group in groups for d in group]
    x = x[tuple(slice(None) if d in order else 0 for d in range(x.ndim))]
    sizes, place = x.shape, sorted(order)
    x = x.permute(*(place.index(d) for d in order))
    return x.reshape([math.prod(sizes[place.index(d)] for d in group) for group in groups])


def _axes(axes: Axes, x: Tensor, *groups: list[int]) -> Axes:
    """Where the axes lie after `_matrices`."""

    def moved(axis: Axis | None) -> Axis | None:
        for place, group in enumerate(groups):
            if axis is not None and axis[0] in group:
                behind = group[group.index(axis[0]) + 1 :]
                return place, axis[1] * math.prod(x.shape[d] for d in behind)
        return None

    return Axes(moved(axes.time), moved(axes.batch), moved(axes.channel))
