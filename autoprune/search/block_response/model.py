"""Model: responses of objectives and constraints, the front so far, and what a trial would add."""

from __future__ import annotations

from typing import final

import numpy as np
from scipy.special import ndtr

from autoprune.runs.pareto import minimal
from autoprune.search.block_response.axis import Array
from autoprune.search.block_response.gain import expected_gain
from autoprune.search.block_response.prior import Prior
from autoprune.search.block_response.response import Layout, Responses
from autoprune.search.block_response.trials import Trials

FITTED = 1000
"""At most so many trials are fitted, those of most weight: more say little that is new."""


@final
class Model:
    """What all results so far say.

    Values are minimised: those to be maximised with the other sign. Those whose logarithm adds up
    are logarithms to base 10. A trial counts
    the less, the further it lies beyond the reference: responses have to be right near the front.

    Attributes:
        trials, prior: what it is made of.
        fronts: objectives of each front.
        reference: where fronts end.
        parts: names of the parameters of each part, in the order in which they appear.
        columns: their columns.
    """

    def __init__(self, trials: Trials, prior: Prior, *, pairwise: bool) -> None:
        self.trials, self.prior = trials, prior
        count = trials.y.shape[1]
        self._log = np.array([*prior.logarithmic, *[False] * count][:count])
        self.values = self._scaled(trials.y)
        self.fronts = [list(front) for front in prior.fronts] or [list(range(count))]
        self.reference = self._reference()
        self._group(pairwise)
        self.span = np.maximum(self.reference - self.values.min(0), 1e-12)
        self.responses = self._fit()
        self._limits = {}
        for name in trials.limit_names:
            x, y = trials.limits(name)
            layout = Layout(parts=self.columns, signs=np.zeros((1, x.shape[1])), pairwise=False)
            if len(y) >= 2:
                self._limits[name] = Responses(x, y, _near_zero(y[:, 0]), layout)
        self._known = []
        for front in self.fronts:
            known = self.values[trials.front(front)]
            if len(trials.pending):
                known = np.vstack([known, self._respond(trials.pending)[0]])
            within = (known[:, front] < self.reference[front]).all(1)
            self._known.append(minimal(known[:, front][within]))

    def _fit(self) -> Responses:
        """The responses to its own trials and to earlier ones; the last column tells them apart."""
        earlier, own = self.prior.earlier, len(self.values)
        values = self.values
        if earlier:
            found = self._scaled(np.array([found for _, found in earlier], dtype=float))
            values = np.vstack([values, found])
        beyond = np.maximum(0.0, (values - self.reference) / self.span).max(1)
        weights = 1 / (1 + beyond) ** 4
        weights[own:] /= 2
        fitted = np.sort(np.argsort(-weights, kind="stable")[:FITTED])
        x = _told_apart(self.trials.x(fitted[fitted < own]), 0.0)
        if earlier:
            known = self.trials.rows([earlier[i - own][0] for i in fitted[fitted >= own]])
            x = np.vstack([x, _told_apart(known, 1.0)])
        return Responses(x, values[fitted], weights[fitted], self._layout)

    def _respond(self, x: Array) -> tuple[Array, Array]:
        """What is predicted of objectives of this study."""
        return self.responses.predict(_told_apart(x, 0.0))

    def _scaled(self, values: Array) -> Array:
        scaled = values * self.trials.signs
        for j in np.flatnonzero(self._log):
            # Nothing at all has no logarithm: it stands a decade below the least there is.
            positive = values[values[:, j] > 0, j]
            least = positive.min() / 10 if len(positive) else 1.0
            scaled[:, j] = self.trials.signs[j] * np.log10(np.maximum(values[:, j], least))
        return scaled

    def _reference(self) -> Array:
        """Where fronts end: as given, or a tenth beyond what the front so far spans, or the median.

        The given one is widened likewise while nothing that keeps the constraints lies within it.
        """
        members = self.trials.front(range(self.values.shape[1]))
        front = self.values[members] if members else minimal(self.values)
        worst, best = front.max(0), front.min(0)
        # A front of few points spans little: beyond the median nothing would be learnt from.
        around = np.maximum(
            worst + 0.1 * np.maximum(worst - best, 1e-6), np.median(self.values, axis=0)
        )
        if not len(self.prior.reference):
            return around
        given = self._scaled(np.array([self.prior.reference], dtype=float))[0]
        within = bool(members) and any((front[:, f] < given[f]).all(1).any() for f in self.fronts)
        return given if within else np.maximum(given, around)

    def _group(self, pairwise: bool) -> None:
        names: dict[str, list[str]] = {}
        columns: dict[str, list[int]] = {}
        signs, place = [], 0
        count = self.values.shape[1]
        for name, axis in self.trials.axes.items():
            part = self.prior.group(name)
            names.setdefault(part, []).append(name)
            columns.setdefault(part, []).extend(range(place, place + axis.columns))
            place += axis.columns
            known = self.prior.monotone.get(name, ()) if axis.ordered else ()
            rising = np.array([*known, *[0] * count][:count], dtype=float)
            signs += [rising * self.trials.signs] * axis.columns
        self.parts = list(names.values())
        self.columns = tuple(tuple(found) for found in columns.values())
        signs.append(np.zeros(count))  # of what tells earlier trials apart
        self._layout = Layout(parts=self.columns, signs=np.array(signs).T, pairwise=pairwise)

    @property
    def limits(self) -> list[Responses]:
        """The responses of the constraints."""
        return list(self._limits.values())

    def predict(self, x: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of objectives, then of constraints."""
        found = [self._respond(x), *(fit.predict(x) for fit in self.limits)]
        return np.hstack([mean for mean, _ in found]), np.hstack([std for _, std in found])

    def gain(self, mean: Array, std: Array) -> Array:
        """Expected gain, over all fronts, of candidates whose `predict` is given.

        Of each front as a share of its box; times the probability of keeping the constraints.
        """
        total = np.zeros(len(mean))
        for front, known in zip(self.fronts, self._known, strict=True):
            box = float(np.prod(self.span[front]))
            gain = expected_gain(known, self.reference[front], mean[:, front], std[:, front])
            total += gain / box
        count = self.values.shape[1]
        if mean.shape[1] > count:
            total *= ndtr(-mean[:, count:] / std[:, count:]).prod(1)
        return total


def _told_apart(x: Array, earlier: float) -> Array:
    return np.hstack([x, np.full((len(x), 1), earlier)])


def _near_zero(values: Array) -> Array:
    """Weights of a constraint's values: it has to be right where it begins to be broken."""
    scale = max(float(np.median(np.abs(values))), 1e-12)
    return 1 / (1 + np.abs(values) / scale) ** 2
