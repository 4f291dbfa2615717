"""Criteria: what weights, or the inner dimensions of a branch, are ranked by; a function each.

    magnitude            |w|
    magnitude_activity   |w| times the rate of its input
    l1                   sum of |w| over the weights of a dimension
    activity             rate of a dimension's neurons
    l1_activity          the product of l1 and activity

A function is called with weights and rates, and gives scores, the higher the more they matter:

    of weights      weights [out, in], rates of their inputs [1, in] or [out, in]; scores [out, in]
    of dimensions   weights [dimensions, n], all that a dimension has in its layers, and rates
                    [dimensions] of its neurons, both in float64; scores [dimensions]

|w| times the norm of the input is what Sun et al. rank by, "A Simple and Effective Pruning Approach
for Large Language Models", arXiv 2306.11695; of spikes the rate says as much. The other readings of
magnitude and L1 norm are this project's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from autoprune.compress.setting import Value
from autoprune.errors import CompressionError
from autoprune.plugin import load_named

Score = Callable[[Tensor, Tensor], Tensor]


def magnitude(weights: Tensor, rates: Tensor) -> Tensor:
    """Magnitude of every weight."""
    return weights.abs()


def magnitude_activity(weights: Tensor, rates: Tensor) -> Tensor:
    """Magnitude of every weight times the rate of its input."""
    return weights.abs() * rates


def l1(weights: Tensor, rates: Tensor) -> Tensor:
    """L1 norm of the weights of every dimension."""
    return weights.abs().sum(1)


def activity(weights: Tensor, rates: Tensor) -> Tensor:
    """Rate of every dimension's neurons."""
    return rates


def l1_activity(weights: Tensor, rates: Tensor) -> Tensor:
    """L1 norm of the weights of every dimension times the rate of its neurons."""
    return l1(weights, rates) * rates


_OURS: dict[str, Score] = {
    score.__name__: score for score in (magnitude, magnitude_activity, l1, activity, l1_activity)
}


@final
@dataclass(frozen=True, slots=True)
class Criterion:
    """A score by its name: one of this module's, or ``module:function`` of the user's."""

    name: str
    score: Score

    @classmethod
    def named(cls, name: Value) -> Criterion:
        """The criterion that an option names."""
        text = str(name)
        return cls(text, _OURS.get(text) or load_named(text, "a score"))

    @property
    def reads_rates(self) -> bool:
        """Whether rates have to be measured for it."""
        return self.score not in (magnitude, l1)

    def scores(self, weights: Tensor, rates: Tensor, expected: torch.Size) -> Tensor:
        """The scores, without gradients.

        Raises CompressionError where the function fails, gives another size than `expected`, or
        what is no number.
        """
        try:
            with torch.no_grad():  # and whatever the function does, the network's weights stay
                found = self.score(weights.clone(), rates)
                sound = found.shape == expected and not bool(found.isnan().any())
        except Exception as error:
            raise CompressionError(f"{self.name}: {type(error).__name__}: {error}") from error
        if not sound:
            size = list(found.shape)
            raise CompressionError(
                f"{self.name} gave scores of size {size}, {int(found.isnan().sum())} of them not a "
                f"number; expected numbers of size {list(expected)}"
            )
        return found if found.is_floating_point() else found.double()
