"""Fit: where the axes of a plot of a front end, so that they fit the front and no outlier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from autoprune.report.front.front import MachineFront

_BESIDE = 1.15
"""By what factor the axis of energy goes on beyond what it fits."""
_ABOVE = 0.01
"""By how much the axis of the score does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The ends of both axes.

    Attributes:
        energy_uj: least and most.
        score: likewise, 0 to 1; a little more than 1 where the intervals reach it.
        outside: how many networks are not drawn within.
    """

    energy_uj: tuple[float, float]
    score: tuple[float, float]
    outside: int

    @classmethod
    def of(cls, front: MachineFront) -> Self | None:
        """Around the members within the reference, their intervals and the fine-tuned parent.

        None where there are fewer than two: then all networks are to be drawn.
        """
        rows = [row for row in front.rows if row.worth > front.reference[0]]
        if len(rows) < 2:
            return None
        scores = [front.parent, *(row.validation for row in rows)]
        energies = [front.parent_energy_uj, *(row.energy_uj for row in rows)]
        energy = min(energies) / _BESIDE, max(energies) * _BESIDE
        low = min(score.interval[0] for score in scores) - _ABOVE
        high = min(max(score.interval[1] for score in scores) + _ABOVE, 1.005)
        drawn = sum(
            energy[0] <= row.energy_uj <= energy[1] and low <= row.validation.accuracy <= high
            for row in front.points
        )
        return cls(energy_uj=energy, score=(low, high), outside=len(front.points) - drawn)
