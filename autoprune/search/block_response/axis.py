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

RAMPS = 6
"""At most so many pieces has the response to a number."""

GRID = 33
"""At most so many values of a number are candidates at a time."""


@final
class Axis:
    """A parameter.

    A number at position u, 0 at its low end and 1 at its high end, has K columns: ramp k is
    ``clip(u K - k, 0, 1)``. A sum of ramps with coefficients of one sign is a monotone, piecewise
    linear function. A category has one column per choice but the first, 1 where it is chosen.

    Attributes:
        columns: their number. ordered: whether it is a number.
    """

    def __init__(self, distribution: BaseDistribution) -> None:
        self._distribution = distribution
        self.ordered = not isinstance(distribution, CategoricalDistribution)
        if isinstance(distribution, CategoricalDistribution):
            self.columns = len(distribution.choices) - 1
            return
        assert isinstance(distribution, FloatDistribution | IntDistribution)
        self._low, self._high = float(distribution.low), float(distribution.high)
        self._log = distribution.log
        self._step = distribution.step if not (self._log and distribution.step == 1) else 1
        steps = RAMPS if self._step is None else round((self._high - self._low) / self._step)
        self.columns = min(RAMPS, max(0, steps)) if self._high > self._low else 0

    def numbers(self, values: Sequence[Any]) -> Array:
        """Values as numbers: a category as the place of its choice."""
        if isinstance(self._distribution, CategoricalDistribution):
            return np.array([self._distribution.to_internal_repr(value) for value in values])
        return np.asarray(values, dtype=float)

    def rows(self, numbers: Array) -> Array:
        """The columns of values, which are given as `numbers`."""
        if isinstance(self._distribution, CategoricalDistribution):
            return (np.arange(1, self.columns + 1) == numbers[:, None]).astype(float)
        if self._log:
            position = np.log(numbers / self._low) / np.log(self._high / self._low)
        else:
            position = (numbers - self._low) / max(self._high - self._low, 1e-300)
        ramps = position[:, None] * self.columns - np.arange(self.columns)
        return np.clip(ramps, 0.0, 1.0)

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
