"""Parts: features of every part of what is searched, those of a kind alike.

What a part does is a Gaussian process over its parameters, f ~ GP(0, k), nothing where all are
gentle. k is a product over parameters of Matern kernels of smoothness 3/2 in the position of a
number, and of a constant where two categories differ. The process is written in its leading
eigenfunctions on a few anchors (Nystrom; Williams and Seeger, NIPS 2000), so that k(x, x') is the
product of two short rows of features.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from autoprune.search.block_response.axis import Array, Axis

FEATURES = 8
"""At most so many features has a part."""

ANCHORS = 36
"""At most so many anchors has a part."""

TABLE = 4096
"""Features of at most so many settings are kept."""

LENGTH = 0.8
"""Over so much of a number's range its effects are alike."""

ALIKE = 0.4
"""Correlation of two categories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Parts that are alike: the same parameters with the same values, at other places.

    Attributes:
        members: of each part the places of its parameters.
    """

    members: tuple[tuple[int, ...], ...]

    @property
    def places(self) -> NDArray[np.intp]:
        """`members` as an array, parts x parameters."""
        return np.array(self.members, dtype=np.intp)


def kinds_of(axes: Mapping[str, Axis], group: Callable[[str], str]) -> list[Kind]:
    """The kinds of parts, in order: names that differ in numbers alone, and values that agree."""
    parts: dict[str, list[str]] = {}
    for name in axes:
        parts.setdefault(group(name), []).append(name)
    place = {name: index for index, name in enumerate(axes)}
    kinds: dict[tuple[object, ...], list[tuple[int, ...]]] = {}
    for names in parts.values():
        key = tuple((re.sub(r"\d+", "#", name), axes[name].identity) for name in names)
        kinds.setdefault(key, []).append(tuple(place[name] for name in names))
    return [Kind(members=tuple(members)) for members in kinds.values()]


@final
class Features:
    """The features of the parts of one kind.

    Args:
        axes: of its parameters. harsh: of each, whether its high end is the harsh one.
        power: positions p become p ** power, so that more is expected at the harsh end.
    """

    def __init__(self, axes: list[Axis], harsh: list[bool], power: float) -> None:
        self._axes, self._harsh, self._power = axes, harsh, power
        self._counts = [axis.count for axis in axes]
        levels = [axis.levels(max(2, round(ANCHORS ** (1 / len(axes))))) for axis in axes]
        if math.prod(map(len, levels)) <= ANCHORS:
            grid = np.array([*itertools.product(*levels)], dtype=float)
        else:
            draw = np.random.default_rng(0)
            grid = np.stack([draw.choice(level, ANCHORS) for level in levels], axis=1)
        self._anchors = self._positions(grid)
        gentle = [level[0] if up else level[-1] for level, up in zip(levels, harsh, strict=True)]
        self._gentle = self._positions(np.array([gentle], dtype=float))
        values, vectors = eigh(self._kernel(self._anchors, self._anchors))
        kept = np.flatnonzero(values > 1e-6 * max(values[-1], 1e-12))[::-1][:FEATURES]
        self._project = vectors[:, kept] / np.sqrt(values[kept])

        self._table: Array | None = None
        self._counts = [axis.count for axis in axes]
        if None not in self._counts and math.prod(c or 0 for c in self._counts) <= TABLE:
            every = itertools.product(*(axis.levels(axis.count or 0) for axis in axes))
            self._table = self._rows(np.array([*every], dtype=float))

    def rows(self, numbers: Array) -> Array:
        """Features of settings, rows x parameters, as numbers."""
        if self._table is None:
            return self._rows(numbers)
        place = np.zeros(len(numbers), dtype=np.intp)
        for k, (axis, count) in enumerate(zip(self._axes, self._counts, strict=True)):
            place = place * (count or 0) + axis.index(numbers[:, k])
        return self._table[place]

    def _rows(self, numbers: Array) -> Array:
        return self._kernel(self._positions(numbers), self._anchors) @ self._project

    def _positions(self, numbers: Array) -> Array:
        found = []
        for k, (axis, up) in enumerate(zip(self._axes, self._harsh, strict=True)):
            position = axis.positions(numbers[:, k])
            if axis.ordered:
                position = position if up else 1 - position
                position = np.clip(position, 0, 1) ** self._power
            found.append(position)
        return np.stack(found, axis=1)

    def _kernel(self, x: Array, y: Array) -> Array:
        """The kernel, given that nothing happens at the gentle end."""
        gentle = self._gentle
        return self._plain(x, y) - self._plain(x, gentle) @ self._plain(gentle, y)

    def _plain(self, x: Array, y: Array) -> Array:
        product = np.ones((len(x), len(y)))
        for k, axis in enumerate(self._axes):
            apart = np.abs(x[:, k, None] - y[None, :, k])
            if axis.ordered:
                scaled = np.sqrt(3) / LENGTH * apart
                product *= (1 + scaled) * np.exp(-scaled)
            else:
                product *= np.where(apart == 0, 1.0, ALIKE)
        return product


@final
class Layout:
    """How the parameters of a space make up parts and kinds.

    Args:
        axes: by name. group: the part of a name. harsh: of each, whether its high end is.
    """

    def __init__(
        self, axes: Mapping[str, Axis], group: Callable[[str], str], harsh: Mapping[str, bool]
    ) -> None:
        self.kinds = kinds_of(axes, group)
        self._axes, self._harsh = [*axes.values()], [harsh[name] for name in axes]
        self._made: dict[float, list[Features]] = {}

    def features(self, numbers: Array, power: float) -> list[Array]:
        """Features of every kind's settings (rows x parameters): rows x parts x features."""
        if power not in self._made:
            self._made[power] = [
                Features(
                    [self._axes[i] for i in kind.members[0]],
                    [self._harsh[i] for i in kind.members[0]],
                    power,
                )
                for kind in self.kinds
            ]
        found = []
        for kind, made in zip(self.kinds, self._made[power], strict=True):
            stacked = numbers[:, kind.places].reshape(-1, len(kind.members[0]))
            rows = made.rows(stacked)
            found.append(rows.reshape(len(numbers), len(kind.members), -1))
        return found
