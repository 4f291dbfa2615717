"""Dominance and hypervolume, exactly, in any few dimensions.

All coordinates are minimised, but those of a front: accuracy, to be large, against energy. The
space is cut along its last coordinate at the points; what lies between two cuts is a problem of one
dimension less (Zitzler's slicing). Meant for 2 to 4 objectives and some hundred points: n points
make at most O(n^(d - 1)) boxes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

ACCURACY_MARGIN = 0.10
"""A front's reference lies this far below the fine-tuned parent's accuracy."""

COST_FACTOR = 1.1
"""A front's reference is this multiple of what the fine-tuned parent costs."""

Array = NDArray[np.float64]

Pair = tuple[float, float]
"""Accuracy, to be large, and energy, to be small."""


def minimal(points: Array) -> Array:
    """The points that no other dominates, each once, in lexicographic order."""
    rest = np.unique(points, axis=0)
    front = []
    while len(rest):
        # The first in lexicographic order is dominated by none behind it.
        front.append(rest[0])
        rest = rest[(rest < rest[0]).any(1)]
    return np.array(front).reshape(-1, points.shape[1])


def non_dominated_boxes(points: Array, reference: Array) -> tuple[Array, Array]:
    """Disjoint boxes that cover all below `reference` that no point dominates.

    Args:
        points: points x dimensions.
        reference: one value per dimension.

    Returns lower and upper corners, boxes x dimensions; lower sides may be minus infinity.
    """
    inside = minimal(points[(points < reference).all(1)])
    lower, upper = _cut(inside, reference)
    return np.array(lower).reshape(-1, len(reference)), np.array(upper).reshape(-1, len(reference))


def _cut(points: Array, reference: Array) -> tuple[list[list[float]], list[list[float]]]:
    """Boxes of one slice."""
    last = float(reference[-1])
    if len(reference) == 1:
        return [[-np.inf]], [[min(last, float(points.min(initial=np.inf)))]]
    levels = np.unique(points[:, -1])
    bounds = [-np.inf, *levels.tolist(), last]
    lower: list[list[float]] = []
    upper: list[list[float]] = []
    for low, high in pairwise(bounds):
        active = points[points[:, -1] <= low][:, :-1]
        if len(reference) > 2:
            active = minimal(active)
        for a, b in zip(*_cut(active, reference[:-1]), strict=True):
            lower.append([*a, low])
            upper.append([*b, high])
    return lower, upper


def hypervolume(points: Array, reference: Array) -> float:
    """Volume that the points dominate within `reference`; points beyond it count nothing."""
    inside = points[(points < reference).all(1)]
    if not len(inside):
        return 0.0
    if len(reference) == 1:
        return float(reference[0] - inside.min())
    order = np.argsort(inside[:, -1], kind="stable")
    inside = inside[order]
    levels = np.r_[inside[:, -1], reference[-1]]
    total = 0.0
    for place in range(len(inside)):
        if (depth := levels[place + 1] - levels[place]) > 0:
            slice_ = inside[: place + 1, :-1]
            total += depth * hypervolume(
                slice_ if len(reference) < 4 else minimal(slice_), reference[:-1]
            )
    return total


def non_dominated(points: Sequence[Pair]) -> list[int]:
    """Indices of the points than which no other is better in one and as good in the other.

    Equal points do not dominate each other: all of them count. A network that needs no energy does
    nothing there: it is no answer, and dominates none. Sorted by ascending energy, hence ascending
    accuracy.
    """
    working = (i for i, (_, energy) in enumerate(points) if energy > 0)
    order = sorted(working, key=lambda i: (points[i][1], -points[i][0], i))
    front: list[int] = []
    for index in order:
        last = points[front[-1]] if front else None
        if last is None or points[index][0] > last[0] or points[index] == last:
            front.append(index)
    return front


def front_hypervolume(points: Iterable[Pair], reference: Pair) -> float:
    """Area in (accuracy, log10 of energy) that `points` dominate above `reference`.

    A point that is not better than the reference in both counts nothing, and neither does one that
    needs no energy, as in `non_dominated`. The unit of energy does not matter.
    """
    better = [p for p in points if p[0] > reference[0] and 0 < p[1] < reference[1]]
    corner = np.array([-reference[0], math.log10(reference[1])])
    low = [(-accuracy, math.log10(energy)) for accuracy, energy in better]
    return hypervolume(np.array(low).reshape(-1, 2), corner)
