"""Placement: how the cores of chips are shared out among operations, so that none is late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column

_HALVINGS = 40
"""How finely the time of the longest operation is sought: to 1 part in 2^40."""


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
        """Of all steps; added up step by step, so that zeros behind the last change no bit."""
        own, first, second = (
            sum(part.T, start=np.zeros(len(part))) for part in (self.own, self.first, self.second)
        )
        positions, columns = self.positions[:, 0], self.columns[:, 0]
        return Work(own=own, first=first, second=second, positions=positions, columns=columns)

    def cores(self, longest: Column) -> Column:
        """Cores on which it takes no longer than that; infinitely many where none are enough."""
        columns = self.columns.clip(min=1)
        by_position = self.positions <= columns
        near, far = np.minimum(self.positions, columns), np.maximum(self.positions, columns)
        near_work = np.where(by_position, self.first, self.second)
        far_work = np.where(by_position, self.second, self.first)
        few = _quotient(self.own + near_work + far_work, longest)
        some = _quotient(self.own + far_work, longest - near_work / near)
        many = _quotient(self.own, longest - near_work / near - far_work / far)
        return np.where(few <= near, few, np.where(some <= far, np.maximum(some, near), many))


def _quotient(work: Column, time: Column) -> Column:
    """Whole cores that do so much work in so much time; infinite where there is no time."""
    exact = np.divide(work, time, out=np.full(len(work), np.inf), where=time > 0)
    # what fills its cores to the last bit is not cut once more by a rounded quotient
    return np.ceil(np.where(work > 0, exact, 0.0) * (1 - 2.0**-_HALVINGS))


def shared_out(ops: Ops, work: Work, bounds: tuple[Column, Column], there: Column) -> Column:
    """Whole cores of each operation with which the longest is as short as can be.

    Args:
        ops: the operations.
        work: of each, [rows].
        bounds: the least cores of each and the most; the least of a workload are all there.
        there: cores of each workload.
    """
    least, most = bounds
    low, high = np.zeros(ops.workloads), ops.most(work.on(least))

    def cores(longest: Column) -> Column:
        return np.clip(work.cores(longest[ops.workload]), least, most)

    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        taken = np.bincount(ops.workload, cores(middle), ops.workloads)
        low, high = np.where(taken > there, middle, low), np.where(taken > there, high, middle)
    return cores(high)
