"""Axes: where time, samples and channels lie in a tensor, however it is viewed."""

from __future__ import annotations

from collections.abc import Iterable
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

    def viewed(self, x: Tensor, out: Tensor, sizes: Sizes) -> Axes:
        """Of `out`, which is a view of the memory of `x`."""
        return Axes(
            _same_stride(self.time, x, out, sizes.steps),
            _same_stride(self.batch, x, out, sizes.samples),
            _same_stride(self.channel, x, out, 2),
        )

    def aligned(self, x: Tensor, out: Tensor, sizes: Sizes) -> Axes:
        """Of `out`, which was made of `x` entry by entry; axes are matched from the last."""
        shift = out.ndim - x.ndim

        def moved(axis: Axis | None, size: int) -> Axis | None:
            if axis is None or not 0 <= axis[0] + shift < out.ndim:
                return None
            length = out.shape[axis[0] + shift]
            kept = length == x.shape[axis[0]] and length % (size * axis[1]) == 0
            return (axis[0] + shift, axis[1]) if kept else None

        return Axes(
            moved(self.time, sizes.steps), moved(self.batch, sizes.samples), moved(self.channel, 1)
        )

    def reduced(self, dims: Iterable[int], ndim: int, *, kept: bool) -> Axes:
        """After a sum, mean or maximum over `dims`, which are `kept` as dimensions of size 1."""
        gone = {dim % ndim for dim in dims}

        def left(axis: Axis | None) -> Axis | None:
            if axis is None or axis[0] in gone:
                return None
            return (axis[0] if kept else axis[0] - sum(d < axis[0] for d in gone), axis[1])

        return Axes(left(self.time), left(self.batch), left(self.channel))

    def repeated(self, x: Tensor, out: Tensor, sizes: Sizes) -> Axes:
        """Of `out`, in which `x` stands once or several times; T times: then that is time."""
        shift = out.ndim - x.ndim

        def moved(axis: Axis | None) -> Axis | None:
            return None if axis is None else (axis[0] + shift, axis[1])

        found = Axes(moved(self.time), moved(self.batch), moved(self.channel))
        if found.time is None:
            for dim, length in enumerate(out.shape):
                before = x.shape[dim - shift] if dim >= shift else 1
                if length == before * sizes.steps and length > before:
                    return replace(found, time=(dim, before))
        return found

    def or_else(self, other: Axes) -> Axes:
        """These, and those of another that lack here."""
        return Axes(
            self.time or other.time, self.batch or other.batch, self.channel or other.channel
        )

    def swapped(self, ndim: int) -> Axes:
        """After the last two dimensions were swapped."""

        def moved(axis: Axis | None) -> Axis | None:
            other = {ndim - 1: ndim - 2, ndim - 2: ndim - 1}
            return axis and (other.get(axis[0], axis[0]), axis[1])

        return Axes(moved(self.time), moved(self.batch), moved(self.channel))

    def without(self, dim: int) -> Axes:
        """Those that do not lie in a dimension."""
        first, second, third = (
            None if axis and axis[0] == dim else axis
            for axis in (self.time, self.batch, self.channel)
        )
        return Axes(first, second, third)

    def missing_time(self, x: Tensor, sizes: Sizes) -> Axis | None:
        """The first dimension of T entries that holds nothing else that is known."""
        held = {axis[0] for axis in (self.batch, self.channel) if axis is not None}
        dims = (d for d, n in enumerate(x.shape) if n == sizes.steps and d not in held)
        return next(((dim, 1) for dim in dims), None)

    def stacked(self, dim: int, count: int, sizes: Sizes, *, inner: int = 0) -> Axes:
        """Of `count` such tensors, stacked along a new axis `dim` or, of `inner` entries each,
        joined along it.
        """

        def moved(axis: Axis | None) -> Axis | None:
            new = axis is not None and axis[0] >= dim and not inner
            return (axis[0] + 1, axis[1]) if axis is not None and new else axis

        found = Axes(moved(self.time), moved(self.batch), moved(self.channel))
        if found.time is None and count == sizes.steps:
            return replace(found, time=(dim, max(1, inner)))
        return found


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many time steps and samples there are."""

    steps: int
    samples: int


def _same_stride(axis: Axis | None, x: Tensor, out: Tensor, size: int) -> Axis | None:
    """The axis of a view that walks through memory as `axis` does."""
    if axis is None:
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
    time = axes.time if sizes.steps > 1 else None
    batch = axes.batch if sizes.samples > 1 else None
    if batch is None and sizes.samples > 1:
        return None
    parts: list[int] = []
    place: dict[str, int] = {}
    for dim, length in enumerate(x.shape):
        here = sorted(
            (
                (axis[1], size, name)
                for name, axis, size in (
                    ("t", time, sizes.steps),
                    ("b", batch, sizes.samples),
                )
                if axis is not None and axis[0] == dim
            ),
            reverse=True,
        )
        left = length
        for inner, size, name in here:
            if left % (size * inner):
                return None
            if left != size * inner:
                parts.append(left // (size * inner))
            place[name] = len(parts)
            parts.append(size)
            left = inner
        if not here or left > 1:
            parts.append(left)
    split = x if tuple(parts) == x.shape else x.reshape(parts)
    first = [place[name] for name in "tb" if name in place]
    split = split.permute(*first, *(i for i in range(split.ndim) if i not in first))
    if "t" not in place:
        split = split.unsqueeze(0)
    return split if "b" in place else split.unsqueeze(1)
