"""Axis: one parameter of a search space, as the columns of a linear model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalChoiceType,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

Array = NDArray[np.float64]

Point: TypeAlias = dict[str, CategoricalChoiceType]
"""A configuration as Optuna has it: a value by the name of its parameter."""

GRID = 33
"""At most so many values of a number are candidates at a time."""


@final
class Axis:
    """A parameter.

    Attributes:
        ordered: whether it is a number. identity: what is equal for equal distributions.
    """

    def __init__(self, distribution: BaseDistribution) -> None:
        self._distribution = distribution
        self.identity = repr(distribution)
        self.ordered = not isinstance(distribution, CategoricalDistribution)
        if isinstance(distribution, CategoricalDistribution):
            return
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        self._low, self._high = float(distribution.low), float(distribution.high)
        self._log = distribution.log
        self._step = distribution.step if not (self._log and distribution.step == 1) else 1

    @property
    def count(self) -> int | None:
        """Number of its values, evenly apart; None where they are not, or are any number."""
        if isinstance(self._distribution, CategoricalDistribution):
            return len(self._distribution.choices)
        if self._step is None or self._log:
            return None
        return round((self._high - self._low) / self._step) + 1

    def index(self, numbers: Array) -> NDArray[np.intp]:
        """The place of values in `levels(count)`."""
        if isinstance(self._distribution, CategoricalDistribution):
            return numbers.astype(np.intp)
        return np.rint((numbers - self._low) / (self._step or 1)).astype(np.intp)

    def numbers(self, values: Sequence[Any]) -> Array:
        """Values as numbers: a category as the place of its choice."""
        if isinstance(self._distribution, CategoricalDistribution):
            return np.array([self._distribution.to_internal_repr(value) for value in values])
        return np.asarray(values, dtype=float)

    def positions(self, numbers: Array) -> Array:
        """Where values stand, given as `numbers`: 0 low to 1 high; of a category its place."""
        if isinstance(self._distribution, CategoricalDistribution):
            return numbers
        if self._log:
            return np.asarray(np.log(numbers / self._low) / np.log(self._high / self._low))
        return (numbers - self._low) / max(self._high - self._low, 1e-300)

    def levels(self, count: int) -> Array:
        """So many numbers from low to high, evenly apart; of categories all, or the first."""
        if isinstance(self._distribution, CategoricalDistribution):
            return np.arange(min(count, len(self._distribution.choices)), dtype=float)
        share = np.linspace(0, 1, count)
        if self._log:
            return np.asarray(self._low * (self._high / self._low) ** share)
        return self._low + (self._high - self._low) * share

    def values(self, rng: np.random.Generator) -> list[Any]:
        """Candidates: all values where they are few, else one out of each of GRID equal parts."""
        distribution = self._distribution
        if isinstance(distribution, CategoricalDistribution):
            return list(distribution.choices)
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        if self._step is not None and (self._high - self._low) / self._step < GRID:
            count = round((self._high - self._low) / self._step) + 1
            found: list[Any] = [self._low + i * self._step for i in range(count)]
        else:
            parts = (np.arange(GRID) + rng.random(GRID)) / GRID
            parts[0], parts[-1] = 0.0, 1.0
            if self._log:
                found = list(self._low * (self._high / self._low) ** parts)
            else:
                found = list(self._low + parts * (self._high - self._low))
            if self._step is not None:
                found = [
                    self._low + self._step * round((v - self._low) / self._step) for v in found
                ]
        kind = int if isinstance(distribution, IntDistribution) else float
        return sorted({kind(min(max(v, self._low), self._high)) for v in found})
