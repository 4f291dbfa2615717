"""Process: a Gaussian process whose covariance is a sum of terms, their scales by evidence.

    y ~ N(0, sum over terms t of v_t K_t + C 1 1' + s^2 diag(1 / w))

The scales v_t and s^2 maximise the marginal likelihood, log scales with a wide normal prior
(Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, chapter 5). What is left
out in turn is predicted in closed form (there, 5.12); its standardised errors widen the
uncertainty where they are larger than they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from autoprune.search.block_response.axis import Array

CONSTANT = 25.0
"""Variance of the constant, in units of the data's."""

SPREAD = 2.5
"""Standard deviation of the prior of a scale's logarithm."""

STEPS = 25
"""At most so many steps of the optimiser."""

JITTER = 1e-9
"""So much is added to each variance, as a share of it; n^2 times the rounding of doubles is less
(J. W. Demmel, On Floating Point Errors in Cholesky, LAPACK Working Note 14, 1989)."""


@final
class Process:
    """A fit; everything in units of the data.

    Args:
        terms: K_t of the trials among each other. y, weights: of the trials.
        scales: logarithms of the scales of the terms and of the noise; see `learn`.
    """

    def __init__(self, terms: Sequence[Array], y: Array, weights: Array, scales: Array) -> None:
        z, self._mean, self._unit, share = _standardised(y, weights)
        self._y = y
        self._noise = np.exp(scales[-1]) * weights.max() / weights
        self.scales = np.exp(scales[:-1])
        factor = cho_factor(_covariance(scales, terms, weights.max() / weights), lower=True)
        self.inverse = cho_solve(factor, np.eye(len(z)))
        self.alpha = self.inverse @ z
        own = np.diag(self.inverse)
        self.left_out = self._unit * self.alpha / own
        standardised = self.alpha / np.sqrt(own)
        self._widened = min(max(float(np.sqrt(share @ standardised**2)), 1.0), 3.0)
        # Scales were learnt from the same trials, and are taken for known.
        self._widened *= float(np.sqrt(1 + len(scales) / len(z)))

    @property
    def fitted(self) -> Array:
        """What is expected at the trials themselves, without their noise."""
        return self._y - self._unit * self._noise * self.alpha

    @property
    def noise(self) -> float:
        """Standard deviation of a trial of most weight."""
        return float(self._unit * np.sqrt(self._noise.min()))

    def predict(self, cross: Array, own: Array) -> tuple[Array, Array]:
        """Mean and standard deviation, without noise, of rows.

        Args:
            cross: covariance with the trials, rows x trials, the constant left out.
            own: variance of each row by itself.
        """
        cross = cross + CONSTANT
        mean = self._mean + self._unit * (cross @ self.alpha)
        variance = own + CONSTANT - np.einsum("ij,ij->i", cross @ self.inverse, cross)
        return mean, self._unit * self._widened * np.sqrt(np.maximum(variance, 1e-9))


def learn(terms: Sequence[Array], y: Array, weights: Array) -> tuple[Array, float]:
    """Log scales of the terms and of the noise, and the logarithm of their evidence."""
    z, _, _, share = _standardised(y, weights)
    sizes = np.array([max(float(share @ np.diag(term)), 1e-12) for term in terms])
    middle = np.r_[-np.log(sizes * 2 * len(terms)), np.log(0.03)]
    found = minimize(
        _misfit,
        middle,
        args=(terms, z, weights.max() / weights, middle),
        jac=True,
        method="L-BFGS-B",
        bounds=[(m - 12, m + 12) for m in middle[:-1]] + [(np.log(1e-6), np.log(4.0))],
        options={"maxiter": STEPS},
    )
    return found.x, -float(found.fun)


def _standardised(y: Array, weights: Array) -> tuple[Array, float, float, Array]:
    share = weights / weights.sum()
    mean = float(share @ y)
    unit = max(float(np.sqrt(share @ (y - mean) ** 2)), 1e-12)
    return (y - mean) / unit, mean, unit, share


def _covariance(scales: Array, terms: Sequence[Array], noise: Array) -> Array:
    total = np.full((len(noise), len(noise)), CONSTANT)
    for scale, term in zip(np.exp(scales[:-1]), terms, strict=True):
        total += scale * term
    diagonal = np.diag_indices_from(total)
    total[diagonal] += np.exp(scales[-1]) * noise
    # A share of each entry: rounding leaves it positive definite, however far scales lie apart.
    total[diagonal] *= 1 + JITTER
    return total


def _misfit(
    scales: Array, terms: Sequence[Array], z: Array, noise: Array, middle: Array
) -> tuple[float, Array]:
    """Negative log posterior of the scales, and its gradient."""
    factor = cho_factor(_covariance(scales, terms, noise), lower=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(z)), check_finite=False)
    alpha = inverse @ z
    away = (scales - middle) / SPREAD
    value = 0.5 * z @ alpha + np.log(np.diag(factor[0])).sum() + 0.5 * away @ away
    rest = inverse - np.outer(alpha, alpha)
    slopes = [
        0.5 * np.exp(scale) * np.vdot(rest, term)
        for scale, term in zip(scales[:-1], terms, strict=True)
    ]
    slopes.append(0.5 * np.exp(scales[-1]) * float(np.diag(rest) @ noise))
    return float(value), np.array(slopes) + away / SPREAD
