"""Placement: how the cores of chips are shared out among operations, so that none is late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

_HALVINGS = 30
"""How finely the time of the longest operation is sought: to 1 part in 2^30."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Nanoseconds of operations, [rows] or [rows, T], and how far they can be cut.

    Attributes:
        own: what is shared out among all cores.
        first, second: messages of A and of B, which at most so many cores share:
        positions, columns: of the operation, at least 1.
    """

    own: Column
    first: Column
    second: Column
    positions: Column
    columns: Column

    def on(self, cores: Column) -> Column:
        """Time of the slowest core of so many."""
        first = self.first / np.minimum(cores, self.positions)
        return self.own / cores + first + self.second / np.minimum(cores, self.columns.clip(min=1))

    def whole(self) -> Work:
        """Sum over all steps, one by one, so that zeros behind the last change no bit."""
        own, first, second = (
            sum(part.T, start=np.zeros(len(part))) for part in (self.own, self.first, self.second)
        )
        positions, columns = self.positions[:, 0], self.columns[:, 0]
        return Work(own=own, first=first, second=second, positions=positions, columns=columns)

    def fewest(self) -> Callable[[Column], Column]:
        """How many cores take no longer than a time; infinitely many where none are enough."""
        columns = self.columns.clip(min=1)
        by_position = self.positions <= columns
        near, far = np.minimum(self.positions, columns), np.maximum(self.positions, columns)
        heard_by_near = np.where(by_position, self.first, self.second) / near
        heard_by_far = np.where(by_position, self.second, self.first) / far
        with_far = self.own + heard_by_far * far
        everything = with_far + heard_by_near * near

        def cores(longest: Column) -> Column:
            few = _quotient(everything, longest)
            some = _quotient(with_far, longest - heard_by_near)
            many = _quotient(self.own, longest - heard_by_near - heard_by_far)
            return np.where(few <= near, few, np.where(some <= far, np.maximum(some, near), many))

        return cores


def _quotient(work: Column, time: Column) -> Column:
    """Whole cores that do so much work in so much time; infinite where there is no time."""
    # what fills its cores to the last bit is not cut once more by a rounded quotient
    exact = np.ceil(work / time * (1 - 2.0**-_HALVINGS))
    return np.where(work > 0, np.where(time > 0, exact, np.inf), 0.0)


def shared_out(ops: Ops, work: Work, bounds: tuple[Column, Column], there: Column) -> Column:
    """Whole cores of each operation with which the longest is as short as can be.

    Args:
        ops: the operations.
        work: of each, [rows].
        bounds: the least cores of each and the most; the least of a workload are all there.
        there: cores of each workload.
    """
    least, most = bounds
    # no faster than if all cores shared all work, no slower than on the least
    low = np.bincount(ops.workload, work.own, ops.workloads) / there.clip(min=1)
    high = ops.most(work.on(least))
    fewest = work.fewest()

    def cores(longest: Column) -> Column:
        return np.minimum(np.maximum(fewest(longest[ops.workload]), least), most)

    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        taken = np.bincount(ops.workload, cores(middle), ops.workloads)
        low, high = np.where(taken > there, middle, low), np.where(taken > there, high, middle)
    return cores(high)
