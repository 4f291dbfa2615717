"""Axes: where time, samples and channels lie in a tensor, however it is viewed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from torch import Tensor

Axis = tuple[int, int]
"""A dimension of a tensor, and how many of its entries one step along the axis is.

Of T B rows with time outside, time is ``(0, B)`` and the samples are ``(0, 1)``.
"""


@dataclass(frozen=True, slots=True)
class Axes:
    """Where the axes of a tensor lie; None where it has no such axis, or it is not known.

    Attributes:
        time: of the time steps.
        batch: of the samples.
        channel: of the output channels of a layer, or of a part of them.
    """

    time: Axis | None = None
    batch: Axis | None = None
    channel: Axis | None = None

    def moved(self, place: Callable[[int], int | None]) -> Axes:
        """Where a dimension stands at another place, which `place` tells; None where it is gone."""

        def one(axis: Axis | None) -> Axis | None:
            dim = None if axis is None else place(axis[0])
            return None if axis is None or dim is None else (dim, axis[1])

        return Axes(one(self.time), one(self.batch), one(self.channel))

    def or_else(self, other: Axes) -> Axes:
        """These, and those of another that lack here."""
        return Axes(
            self.time or other.time, self.batch or other.batch, self.channel or other.channel
        )

    def viewed(self, x: Tensor, out: Tensor, sizes: Sizes) -> Axes:
        """Axes of `out`, which is a view of the memory of `x`."""
        return Axes(
            _same_stride(self.time, x, out, sizes.steps),
            _same_stride(self.batch, x, out, sizes.samples),
            _same_stride(self.channel, x, out, 2),
        )

    def aligned(self, x: Tensor, out: Tensor) -> Axes:
        """Axes of `out`, which was made of `x` entry by entry; axes are matched from the last.

        Where some at the end were made one, from the first.
        """
        shift = max(0, out.ndim - x.ndim)

        def place(dim: int) -> int | None:
            there = 0 <= dim + shift < out.ndim
            return dim + shift if there and out.shape[dim + shift] == x.shape[dim] else None

        return self.moved(place)

    def reduced(self, dims: Iterable[int]) -> Axes:
        """After a sum, mean or maximum over `dims`, which are gone."""
        gone = set(dims)
        return self.moved(lambda dim: None if dim in gone else dim - sum(d < dim for d in gone))

    def repeated(self, x: Tensor, out: Tensor, sizes: Sizes) -> Axes:
        """Axes of `out`, in which `x` stands once or several times; T times: then that is time."""
        shift = out.ndim - x.ndim
        found = self.moved(lambda dim: dim + shift)
        if found.time is None and not sizes.shown:
            for dim, length in enumerate(out.shape):
                before = x.shape[dim - shift] if dim >= shift else 1
                if length == before * sizes.steps and length > before:
                    return replace(found, time=(dim, before))
        return found

    def stacked(self, dim: int, count: int, sizes: Sizes, *, inner: int = 0) -> Axes:
        """Axes of `count` such tensors, stacked along a new axis `dim` or, of `inner` entries each,
        joined along it.
        """
        found = self.moved(lambda d: d + 1 if d >= dim and not inner else d)
        if found.time is None and count == sizes.steps:
            return replace(found, time=(dim, max(1, inner)))
        return found

    def swapped(self, ndim: int) -> Axes:
        """After the last two dimensions were swapped."""
        other = {ndim - 1: ndim - 2, ndim - 2: ndim - 1}
        return self.moved(lambda dim: other.get(dim, dim))

    def grouped(self, count: int) -> Axes:
        """After the innermost `count` entries of the first dimension went elsewhere."""
        return Axes(
            *(
                (0, axis[1] // count) if axis is not None and axis[0] == 0 else axis
                for axis in (self.time, self.batch, self.channel)
            )
        )

    def without(self, dim: int) -> Axes:
        """Those that do not lie in a dimension."""
        return self.moved(lambda d: None if d == dim else d)

    def missing_time(self, x: Tensor, sizes: Sizes) -> Axis | None:
        """The first dimension of T entries that holds nothing else that is known."""
        held = {axis[0] for axis in (self.batch, self.channel) if axis is not None}
        dims = (d for d, n in enumerate(x.shape) if n == sizes.steps and d not in held)
        return next(((dim, 1) for dim in dims), None)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many time steps and samples there are, and whether time is in what the network is shown.

    Else the network repeats it over time itself.
    """

    steps: int
    samples: int
    shown: bool = False


def _same_stride(axis: Axis | None, x: Tensor, out: Tensor, size: int) -> Axis | None:
    """The axis of a view that walks through memory as `axis` does; of one entry none does."""
    if axis is None or size == 1:
        return None
    stride = x.stride(axis[0]) * axis[1]
    for dim, (length, step) in enumerate(zip(out.shape, out.stride(), strict=True)):
        if step == 0 or stride == 0:
            if step == stride and length == size:
                return dim, 1
            continue
        inner, rest = divmod(stride, step)
        if not rest and inner and length > 1 and length >= inner * size:
            return dim, inner
    return None


def by_step(x: Tensor, axes: Axes, sizes: Sizes) -> Tensor | None:
    """`x` as [T, B, ...], the other axes in their order, or as [1, B, ...] where it has no time.

    None where its samples cannot be told apart.
    """
    known = ((axes.time, sizes.steps), (axes.batch, sizes.samples))
    found = sorted((a[0], -a[1], n, i) for i, (a, n) in enumerate(known) if a and n > 1)
    if sizes.samples > 1 and axes.batch is None:
        return None
    places: list[int | None] = [None, None]
    parts: list[int] = []
    for dim, length in enumerate(x.shape):
        left = length
        for _, minus, size, which in (item for item in found if item[0] == dim):
            inner = -minus
            if left % (size * inner):
                return None
            if left != size * inner:
                parts.append(left // (size * inner))
            places[which] = len(parts)
            parts.append(size)
            left = inner
        if left > 1 or left == length:
            parts.append(left)
    split = x if tuple(parts) == x.shape else x.reshape(parts)
    first = [place for place in places if place is not None]
    split = split.permute(*first, *(i for i in range(split.ndim) if i not in first))
    if places[0] is None:
        split = split.unsqueeze(0)
    return split if places[1] is not None else split.unsqueeze(1)
