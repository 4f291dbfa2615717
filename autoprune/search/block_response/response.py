"""Responses: how objectives answer to the parts of a network, fitted to all results.

    y = mean + sum over columns c of b_c (x_c - mean x_c) + sum over pairs (g, h) of a_gh u_g u_h

The coefficients of an axis whose direction is known have one sign: ridge regression with
non-negative least squares (Lawson and Hanson, Solving Least Squares Problems, 1974). u_g is what
part g contributes by the first sum, centred: a pair says that an upstream part makes a downstream
part matter more or less. Pairs enter one at a time, while Schwarz' criterion falls (BIC, Ann.
Statist. 6, 1978).

Uncertainty is that of the ridge regression in closed form, the same for all signs:
``s^2 (1 + x (X'WX + r I)^-1 x')``, with s^2 the weighted mean square of the residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import nnls

from autoprune.search.block_response.axis import Array

RIDGE = 0.1
"""Added to the diagonal: columns are 0 to 1, so that a tenth of a trial speaks for no effect."""

MOST_PAIRS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which columns belong to which part, and the signs that are known.

    Attributes:
        parts: indices of the columns of each part, in the order of execution.
        signs: objectives x columns: 1, -1, or 0 where a coefficient is free.
        pairwise: whether pairs of parts are looked for.
    """

    parts: tuple[tuple[int, ...], ...]
    signs: Array
    pairwise: bool = True


@final
class Responses:
    """The fit of all objectives.

    Args:
        x: trials x columns. y: trials x objectives. weights: of the trials.
        layout: of the columns.
    """

    def __init__(self, x: Array, y: Array, weights: Array, layout: Layout) -> None:
        self._layout = layout
        share = weights / weights.sum()
        self._x_mean, self._y_mean = share @ x, share @ y
        root = np.sqrt(weights)[:, None]
        centred = (x - self._x_mean) * root
        gram = centred.T @ centred
        gram[np.diag_indices_from(gram)] += RIDGE
        self._factor = cho_factor(gram, lower=True)
        self._pairs: list[list[tuple[int, int, float, float]]] = []
        self._coefficients = np.empty((y.shape[1], x.shape[1]))
        sigmas = []
        for j in range(y.shape[1]):
            target = y[:, j] - self._y_mean[j]
            moments = centred.T @ (target * root[:, 0])
            self._coefficients[j] = self._solve(gram, moments, layout.signs[j])
            residual = target - (x - self._x_mean) @ self._coefficients[j]
            found = self._find_pairs(x, j, residual, weights) if layout.pairwise else []
            self._pairs.append(found)
            residual = residual - self._paired(x, j)
            used = np.count_nonzero(self._coefficients[j]) + len(found) + 1
            freedom = max(1.0, weights.sum() - min(used, 0.7 * weights.sum()))
            sigmas.append(np.sqrt(weights @ residual**2 / freedom))
        self.sigma = np.maximum(sigmas, 1e-9)
        """Standard deviation of a trial's result about the model, per objective."""

    def _solve(self, gram: Array, moments: Array, signs: Array) -> Array:
        """Least squares with the signs, as non-negative least squares of the Cholesky factor."""
        lower = np.tril(self._factor[0])
        target = solve_triangular(lower, moments, lower=True)
        free = np.flatnonzero(signs == 0)
        fixed = np.where(signs == 0, 1.0, signs)
        columns = np.hstack([lower.T * fixed, -lower.T[:, free]])
        found, _ = nnls(columns, target)
        whole = fixed * found[: len(signs)]
        whole[free] -= found[len(signs) :]
        return whole

    def part_effects(self, x: Array, objective: int) -> Array:
        """What each part contributes to an objective, centred: rows x parts."""
        weighted = (x - self._x_mean) * self._coefficients[objective]
        return np.stack([weighted[:, list(part)].sum(1) for part in self._layout.parts], axis=1)

    def _find_pairs(
        self, x: Array, objective: int, residual: Array, weights: Array
    ) -> list[tuple[int, int, float, float]]:
        effects = self.part_effects(x, objective)
        first, second = np.triu_indices(effects.shape[1], 1)
        products = effects[:, first] * effects[:, second]
        means = weights @ products / weights.sum()
        products = products - means
        squares = weights @ products**2
        total = weights.sum()
        found: list[tuple[int, int, float, float]] = []
        for _ in range(min(MOST_PAIRS, int(total) // 8)):
            error = weights @ residual**2
            if error <= 1e-18 * total:
                break
            moments = (weights * residual) @ products
            with np.errstate(divide="ignore", invalid="ignore"):
                gains = np.where(squares > 1e-12 * error, moments**2 / squares, 0.0)
            best = int(np.argmax(gains)) if len(gains) else -1
            # A pair has to pay for itself: log n for its coefficient, 2 log P for being picked.
            price = np.log(total) + 2 * np.log(max(len(gains), 1))
            if best < 0 or total * np.log(error / max(error - gains[best], 1e-12 * error)) < price:
                break
            size = float(moments[best] / squares[best])
            residual = residual - size * products[:, best]
            found.append((int(first[best]), int(second[best]), size, float(means[best])))
        return found

    def _paired(self, x: Array, objective: int) -> Array:
        if not self._pairs[objective]:
            return np.zeros(len(x))
        effects = self.part_effects(x, objective)
        terms = [
            size * (effects[:, g] * effects[:, h] - mean)
            for g, h, size, mean in self._pairs[objective]
        ]
        return np.sum(terms, axis=0)

    def pairs(self, objective: int) -> Sequence[tuple[int, int]]:
        """The pairs of parts that the data supports."""
        return [(g, h) for g, h, _, _ in self._pairs[objective]]

    def additive(self, x: Array, columns: Sequence[int]) -> Array:
        """The first sum over some columns alone, per row and objective; not centred."""
        return x @ self._coefficients[:, list(columns)].T

    @property
    def constant(self) -> float:
        """What the first objective's first sum adds to `additive` over all columns."""
        return float(self._y_mean[0] - self._x_mean @ self._coefficients[0])

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of what a trial would give: rows x objectives each."""
        centred = x - self._x_mean
        mean = centred @ self._coefficients.T + self._y_mean
        for j in range(mean.shape[1]):
            mean[:, j] += self._paired(x, j)
        leverage = np.einsum("ij,ji->i", centred, cho_solve(self._factor, centred.T))
        return mean, self.sigma * np.sqrt(1 + leverage)[:, None]
