"""Which points of accuracy against energy are not dominated, and how much they enclose."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from autoprune.hypervolume import hypervolume as exact_hypervolume

Pair = tuple[float, float]
"""Accuracy, to be large, and energy, to be small."""


def non_dominated(points: Sequence[Pair]) -> list[int]:
    """Indices of the points than which no other is better in one and as good in the other.

    Equal points do not dominate each other: all of them count. Sorted by ascending energy, hence
    ascending accuracy.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][1], -points[i][0], i))
    front: list[int] = []
    for index in order:
        last = points[front[-1]] if front else None
        if last is None or points[index][0] > last[0] or points[index] == last:
            front.append(index)
    return front


def hypervolume(points: Iterable[Pair], reference: Pair) -> float:
    """Area in (accuracy, log10 of energy) that `points` dominate above `reference`.

    A point that is not better than the reference in both counts nothing. The unit of energy does
    not matter; a point that is better and needs no energy at all makes the area infinite.
    """
    better = [p for p in points if p[0] > reference[0] and p[1] < reference[1]]
    if any(energy == 0 for _, energy in better):
        return math.inf
    corner = np.array([-reference[0], math.log10(reference[1])])
    low = [(-accuracy, math.log10(energy)) for accuracy, energy in better]
    return exact_hypervolume(np.array(low).reshape(-1, 2), corner)
