"""Response: one objective as a sum over parts, what a kind has in common and what each has alone.

    y = constant + sum over parts b of (f_kind(b)(x_b) + own_b(x_b))

f_kind and own_b are Gaussian processes (`parts`), and how much each kind has in common, how far
its parts differ, and the noise, is learnt from the trials (`process`).
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
        power: of positions. scales: logarithms of those of the terms and of the noise.
    """

    power: float
    scales: Array


@final
class Response:
    """A fit.

    Args:
        layout: of the parameters. data: what is fitted. learnt: by `learn_response`.
    """

    def __init__(self, layout: Layout, data: Data, learnt: Learnt) -> None:
        self._layout, self._power = layout, learnt.power
        self._forms = _forms(layout, data.numbers, learnt.power)
        self.process = Process(_terms(self._forms, data), data.y, data.weights, learnt.scales)

    def predict(self, numbers: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of what trials would give, without noise."""
        cross, own = np.zeros((len(numbers), len(self._forms[0]))), np.zeros(len(numbers))
        forms = _forms(self._layout, numbers, self._power)
        scales = self.process.scales[:-1]  # no candidate is set apart
        for scale, mine, theirs in zip(scales, forms, self._forms, strict=True):
            cross += scale * (mine @ theirs.T)
            own += scale * (mine**2).sum(1)
        return self.process.predict(cross, own)


def learn_response(layout: Layout, data: Data) -> Learnt:
    """The power and the scales of most evidence."""
    tried = []
    for power in POWERS:
        terms = _terms(_forms(layout, data.numbers, power), data)
        tried.append((*learn(terms, data.y, data.weights), power))
    scales, _, power = max(tried, key=lambda found: found[1])
    return Learnt(power=power, scales=scales)


def _forms(layout: Layout, numbers: Array, power: float) -> list[Array]:
    """Features of every kind, rows x features: in common, if it has several parts, and own."""
    forms = []
    for features in layout.features(numbers, power):
        if features.shape[1] > 1:
            forms.append(features.sum(1))
        forms.append(features.reshape(len(numbers), -1))
    return forms


def _terms(forms: Sequence[Array], data: Data) -> list[Array]:
    """Covariances of the sum, and of what sets some trials apart."""
    return [*(form @ form.T for form in forms), np.outer(data.apart, data.apart)]
