"""What trials are worth by all that were measured, against the winner's curse.

A front shows the largest of many noisy scores: on average they are too large. Empirical Bayes draws
each score towards what the other trials lead one to expect of its plan (Fay and Herriot, J. Am.
Stat. Assoc. 74, 1979), on the scale of the logit z:

    z = x b + u + e        b ~ N(0, t^2),  u ~ N(0, s^2),  e ~ N(0, 1 / (n p (1 - p)))

x has, of every branch, the share of weights kept and its root, and the time steps; u is what a plan
is worth beyond that; e is the noise of n validation samples. t and s are those of the largest
marginal likelihood. What one seed of training has more luck with than another is taken for u: of
that part of the curse only `autoprune confirm` knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from autoprune.compress.plan import Plan
from autoprune.networks.shape import NetworkShape
from autoprune.trial.measurement import Score

FEWEST = 12
"""Least number of trials of which anything is estimated."""

MOST = 1000
"""So many trials are looked at, those nearest to a front: others have no chance to be on it."""

DRAWS = 1000
"""Draws from the posterior: a chance of one half is known to within 0.016 (standard error)."""

_SPREADS = (0.1, 0.3, 1.0, 3.0)
_BEYOND = (0.01, 0.03, 0.1, 0.3, 1.0)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What a trial is worth by all trials.

    Attributes:
        expected: its score on samples that nobody has looked at, 0 to 1.
        chance: to be on the front of true scores, 0 to 1.
    """

    expected: float
    chance: float


@lru_cache(maxsize=1 << 14)  # one plan has as many fronts as there are machines
def features(plan: Plan, shape: NetworkShape, steps: int) -> tuple[float, ...]:
    """What a score may hang on: of every branch the share of weights kept and its root, steps."""
    left = plan.left(shape)
    found = [float(steps)]
    for place, branch in shape.branches():
        own = left.branch(place).all_weights - left.zeros_in(place)
        kept = max(own, 0) / branch.all_weights
        found += [kept, kept**0.5]
    return tuple(found)


def worth(score: Score, posterior: Posterior | None) -> float:
    """What is expected of a network; its score as it was measured where nothing says more."""
    return score.accuracy if posterior is None else posterior.expected


def posteriors(
    scores: Sequence[Score],
    energies_uj: Sequence[float],
    known: Callable[[int], tuple[float, ...]],
) -> list[Posterior | None]:
    """What networks are worth by all of them; None of each where they are fewer than FEWEST.

    None, too, of those beyond MOST that are farthest below the front of the scores.

    Args:
        scores: on validation data.
        energies_uj: of each, above 0; exactly known.
        known: gives the `features` of the one at a place.
    """
    found: list[Posterior | None] = [None] * len(scores)
    if len(scores) < FEWEST:
        return found
    energies = np.array(energies_uj)
    places = _nearest(np.array([score.accuracy for score in scores]), energies)
    near = [scores[i] for i in places]
    total = np.array([score.total for score in near], dtype=float)
    share = (np.array([score.correct for score in near]) + 0.5) / (total + 1)
    features_of = np.array([known(i) for i in places])
    mean, variance = _posterior(
        np.log(share / (1 - share)), 1 / (total * share * (1 - share)), features_of
    )
    # The mean of the logistic function of a normal variable (MacKay, Neural Comput. 4, 1992).
    expected = 1 / (1 + np.exp(-mean / np.sqrt(1 + np.pi * variance / 8)))
    chances = _chances(mean, variance, energies[places])
    for place, e, c in zip(places, expected.tolist(), chances.tolist(), strict=True):
        found[place] = Posterior(expected=e, chance=c)
    return found


def _nearest(accuracy: Array, energies_uj: Array) -> list[int]:
    """Places of the MOST that are the least below the best that needs no more energy."""
    order = np.lexsort((-accuracy, energies_uj))
    gaps = np.empty(len(order))
    gaps[order] = np.maximum.accumulate(accuracy[order]) - accuracy[order]
    return sorted(np.argsort(gaps, kind="stable")[:MOST].tolist())


def _posterior(z: Array, noise: Array, known: Array) -> tuple[Array, Array]:
    """Mean and variance of x b + u at every trial, at the most likely t and s."""
    spread = known.std(0)
    x = np.c_[np.ones(len(z)), ((known - known.mean(0)) / np.where(spread > 0, spread, 1.0))]
    best = (-np.inf, 0.0, np.zeros(0), np.zeros((0, 0)))
    for t in _SPREADS:
        prior = np.diag([1e-6, *[t**-2] * (x.shape[1] - 1)])
        for s in _BEYOND:
            whole = s**2 + noise
            precision = prior + (x.T / whole) @ x
            residual = z - x @ np.linalg.solve(precision, (x.T / whole) @ z)
            likelihood = -0.5 * (
                np.log(whole).sum()
                + np.linalg.slogdet(precision)[1]
                - np.linalg.slogdet(prior)[1]
                + z @ (residual / whole)
            )
            if likelihood > best[0]:
                best = (float(likelihood), s, residual, precision)
    _, s, residual, precision = best
    kept = s**2 / (s**2 + noise)
    around = np.einsum("ij,ji->i", x, np.linalg.solve(precision, x.T))
    return z - (1 - kept) * residual, (1 - kept) ** 2 * around + kept * noise


def _chances(mean: Array, variance: Array, energies_uj: Array) -> Array:
    """Per trial, the share of draws in which none that needs no more energy is as good."""
    order = np.argsort(energies_uj, kind="stable")
    rng = np.random.default_rng(0)  # the same record gives the same report
    drawn = rng.normal(mean[order], np.sqrt(variance[order]), (DRAWS, len(order)))
    before = np.maximum.accumulate(drawn, axis=1)[:, :-1]
    chances = np.ones(len(order))
    chances[order[1:]] = (drawn[:, 1:] > before).mean(0)
    return chances
