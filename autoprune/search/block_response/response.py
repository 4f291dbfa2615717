"""Response: one objective as a sum over parts, what a kind has in common and what each has alone.

    y = constant + sum over parts b of (f_kind(b)(x_b) + own_b(x_b)) + what pairs of parts do

f_kind and own_b are Gaussian processes (`parts`), and how much each kind has in common, how far
its parts differ, and the noise, is learnt from the trials (`process`). A second fit adds terms of
what the first has found: every part's size, as a multiple of what its kind has in common, and the
products of the effects of two parts, so that damage may multiply, saturate, or need both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from autoprune.search.block_response.axis import Array
from autoprune.search.block_response.parts import Layout
from autoprune.search.block_response.process import Process, learn

POWERS = (1.0, 2.0, 4.0)
"""Powers of positions that are tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Trials, and one value of each.

    Attributes:
        numbers: trials x parameters. y, weights: of the trials.
        apart: 1 for trials that may differ from the others by a constant, else 0.
    """

    numbers: Array
    y: Array
    weights: Array
    apart: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """What is learnt of one objective.

    Attributes:
        power: of positions. first, second: log scales of the two fits.
    """

    power: float
    first: Array
    second: Array


@final
class Response:
    """A fit.

    Args:
        layout: of the parameters. data: what is fitted. learnt: by `learn_response`.
    """

    def __init__(self, layout: Layout, data: Data, learnt: Learnt) -> None:
        self._layout, self._power = layout, learnt.power
        self._features = layout.features(data.numbers, learnt.power)
        terms = _terms(self._features, data.apart)
        first = Process(terms, data.y, data.weights, learnt.first)
        self._shapes = _shapes(self._features, first)
        self._effects = _effects(self._features, self._shapes)
        terms = [*terms, *_second(self._effects)]
        self.process = Process(terms, data.y, data.weights, learnt.second)

    def predict(self, numbers: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of what trials would give, without noise."""
        features = self._layout.features(numbers, self._power)
        forms = [
            pair
            for mine, theirs in zip(features, self._features, strict=True)
            for pair in zip(_forms(mine), _forms(theirs), strict=True)
        ]
        *common, (x, y) = zip(_effects(features, self._shapes), self._effects, strict=True)
        scales = [*self.process.scales]
        pairs = scales.pop()
        del scales[len(forms)]  # no candidate is set apart
        cross, own = pairs * _paired(x, y), 0.5 * pairs * ((x**2).sum(1) ** 2 - (x**4).sum(1))
        for scale, (mine, theirs) in zip(scales, [*forms, *common], strict=True):
            cross += scale * (mine @ theirs.T)
            own += scale * (mine**2).sum(1)
        return self.process.predict(cross, own)


def learn_response(layout: Layout, data: Data) -> Learnt:
    """The power and the scales of most evidence."""
    tried = []
    for power in POWERS:
        terms = _terms(layout.features(data.numbers, power), data.apart)
        tried.append((*learn(terms, data.y, data.weights), power))
    first, _, power = max(tried, key=lambda found: found[1])
    features = layout.features(data.numbers, power)
    terms = _terms(features, data.apart)
    shapes = _shapes(features, Process(terms, data.y, data.weights, first))
    terms += _second(_effects(features, shapes))
    second, _ = learn(terms, data.y, data.weights, first)
    return Learnt(power=power, first=first, second=second)


def _forms(features: Array) -> list[Array]:
    """Features of a kind, trials x parts x features: in common, if it has several, and own."""
    count, parts, _ = features.shape
    return [*([features.sum(1)] if parts > 1 else []), features.reshape(count, -1)]


def _terms(features: Sequence[Array], apart: Array) -> list[Array]:
    """Covariances of the first sum, and of what sets some trials apart."""
    return [*(form @ form.T for kind in features for form in _forms(kind)), np.outer(apart, apart)]


def _shapes(features: Sequence[Array], first: Process) -> list[tuple[Array, Array]]:
    """Coefficients of the effects of each kind's parts, in common and whole: parts x features."""
    shapes, place = [], 0
    for kind in features:
        each = np.einsum("npf,n->pf", kind, first.alpha)
        common = np.zeros_like(each)
        if kind.shape[1] > 1:
            common += first.scales[place] * each.sum(0)
            place += 1
        shapes.append((common, common + first.scales[place] * each))
        place += 1
    return shapes


def _effects(features: Sequence[Array], shapes: Sequence[tuple[Array, Array]]) -> list[Array]:
    """What every part does, trials x parts: as all of its kind do, a kind each, then all whole."""
    both = list(zip(features, shapes, strict=True))
    common = [
        np.einsum("npf,pf->np", kind, shape) for kind, (shape, _) in both if kind.shape[1] > 1
    ]
    whole = [np.einsum("npf,pf->np", kind, shape) for kind, (_, shape) in both]
    return [*common, np.hstack(whole)]


def _second(effects: Sequence[Array]) -> list[Array]:
    """Covariances of sizes of parts and of pairs."""
    *common, whole = effects
    return [*(kind @ kind.T for kind in common), _paired(whole, whole)]


def _paired(x: Array, y: Array) -> Array:
    """Sum over pairs g < h of x_g x_h y_g y_h."""
    return np.asarray(0.5 * ((x @ y.T) ** 2 - (x**2) @ (y**2).T))
