"""Model: responses of objectives and constraints, the front so far, and what a trial would add."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from autoprune.runs.pareto import minimal
from autoprune.search.block_response.axis import Array, Point
from autoprune.search.block_response.calibration import Expected
from autoprune.search.block_response.gain import expected_gain
from autoprune.search.block_response.parts import Layout
from autoprune.search.block_response.prior import Prior
from autoprune.search.block_response.response import Data, Learnt, Response, learn_response
from autoprune.search.block_response.trials import Trials

FITTED = 240
"""At most so many trials are fitted, those nearest the front."""

NEAR, FAR = 4, 1
"""A trial that lies d ranges beyond the reference weighs 1 / (1 + d) to the power of NEAR in what
says how good trials near the front are, and of FAR in what says which fall beyond."""

LEARNT = 12
"""Scales are learnt anew when there are more trials by one in so many."""

Cache: TypeAlias = dict[tuple[object, int], Learnt]
"""What was learnt, by objective or constraint and number of trials."""


@final
class Model:
    """What all results so far say.

    Values are minimised: those to be maximised with the other sign. Those whose logarithm adds up
    are logarithms to base 10. A trial counts the less, the further it lies beyond the reference:
    responses have to be right near the front. What failed by far would be forgotten so, and the
    like proposed again: where trials did, a second response, in which they count more, says how
    likely a candidate falls beyond the reference. It is in ranges, those beyond as the logarithm of
    1 + d: what fell by a little and by far fell alike. The front so far is that of what is expected
    of the trials rather than of what was seen of them, which luck has raised.

    Args:
        trials, prior: what it is made of. layout: of the parameters.
        cache: of what was learnt; a model depends on it in nothing but time.

    Attributes:
        reference: where fronts end. span: from there to the best values.
        front_points: trials that are on any front.
    """

    def __init__(self, trials: Trials, prior: Prior, layout: Layout, cache: Cache) -> None:
        self.trials, self._prior, self._layout, self._cache = trials, prior, layout, cache
        count, objectives = trials.y.shape
        self._log = np.array([*prior.logarithmic, *[False] * objectives][:objectives])
        self._fronts = [list(front) for front in prior.fronts] or [list(range(objectives))]
        taught = np.array([found for _, found in prior.earlier], dtype=float)
        earlier = trials.numbers([point for point, _ in prior.earlier])
        self._x = np.vstack([trials.x, earlier])
        self._values = self._scaled(np.vstack([trials.y, taught.reshape(-1, objectives)]))
        self.reference = self._reference(count)
        self.span = self._span(count)
        self.responses = [self._objective(j) for j in range(objectives)]
        self._falls = self._falling()
        found = [self._limit(name) for name in trials.limit_names]
        self._limits = [limit for limit in found if limit is not None]
        self._known: list[Array] = []
        self._shift, self._scale = trials.record.misses(objectives)
        self.front_points = self._see_fronts(self._nearest(count, NEAR)[0])

    def gain(self, numbers: Array) -> Array:
        """Expected gain, over all fronts, of candidates, as the responses have it.

        Of each front as a share of its box; times the probabilities of keeping the constraints, and
        of not falling beyond the reference.
        """
        return self._gain(numbers, *self.predict(numbers))

    def promised(self, numbers: Array) -> float:
        """Expected gain of one configuration, as others before have come out; see `Record`.

        Candidates are not chosen by it: what misses lie behind them would be sought no more, and
        the front ends where the search first found it.
        """
        mean, std = self.predict(numbers)
        [gain] = self._gain(numbers, mean + self._shift * std, self._scale * std)
        return float(self.trials.record.kept * gain)

    def _gain(self, numbers: Array, mean: Array, std: Array) -> Array:
        total, within = np.zeros(len(mean)), np.ones(mean.shape)
        for j in self._falls:
            within[:, j] = self._fall(j, numbers)[2]
        for front, known in zip(self._fronts, self._known, strict=True):
            box = float(np.prod(self.span[front]))
            gain = expected_gain(known, self.reference[front], mean[:, front], std[:, front])
            total += gain / box * within[:, front].prod(1)
        for limit in self._limits:
            excess, doubt = limit.predict(numbers)
            total *= ndtr(-excess / np.hypot(doubt, limit.process.noise))
        return total

    def _fall(self, objective: int, numbers: Array) -> tuple[Array, Array, Array]:
        """What the second response expects to be seen, mean and standard deviation of each row.

        To first order, where it is a logarithm. Then the probability that it does not fall beyond
        the reference.
        """
        fall = self._falls[objective]
        ranges, doubt = fall.predict(numbers)
        doubt = np.hypot(doubt, fall.process.noise)
        beyond = np.maximum(ranges, 0.0)
        mean = self.reference[objective] + self.span[objective] * _stretched(ranges)
        return mean, self.span[objective] * np.exp(beyond) * doubt, ndtr(-ranges / doubt)

    def predict(self, numbers: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of objectives, without noise: rows x objectives."""
        found = [response.predict(numbers) for response in self.responses]
        return np.stack([m for m, _ in found], axis=1), np.stack([s for _, s in found], axis=1)

    def expected(self, numbers: Array) -> Expected:
        """What is expected to be seen of one configuration, 1 x parameters; see `Expected`."""
        mean, std = self.predict(numbers)
        std = np.hypot(std, [response.process.noise for response in self.responses])
        for j in self._falls:  # a mixture, by how likely it falls
            far, doubt, stays = self._fall(j, numbers)
            both = stays * mean[:, j] + (1 - stays) * far
            near = std[:, j] ** 2 + (mean[:, j] - both) ** 2
            std[:, j] = np.sqrt(stays * near + (1 - stays) * (doubt**2 + (far - both) ** 2))
            mean[:, j] = both
        return Expected(
            mean=mean[0].tolist(),
            std=std[0].tolist(),
            shift=self._shift.tolist(),
            scale=self._scale.tolist(),
            kept=self.trials.record.kept,
            signs=self.trials.signs.tolist(),
            log=self._log.tolist(),
            fronts=self._fronts,
            reference=self.reference.tolist(),
            span=self.span.tolist(),
        )

    def _scaled(self, values: Array) -> Array:
        scaled = values * self.trials.signs
        for j in np.flatnonzero(self._log):
            # Nothing at all has no logarithm: it stands a decade below the least there is.
            positive = values[values[:, j] > 0, j]
            least = positive.min() / 10 if len(positive) else 1.0
            scaled[:, j] = self.trials.signs[j] * np.log10(np.maximum(values[:, j], least))
        return scaled

    def _reference(self, count: int) -> Array:
        """Where fronts of so many trials end.

        As given, or a tenth beyond what the front spans, or the median. The given one is widened
        likewise while nothing that keeps the constraints lies within it.
        """
        values = self._values[:count]
        kept = values[self.trials.feasible[:count] > 0]
        front = minimal(kept if len(kept) else values)
        worst, best = front.max(0), front.min(0)
        # A front of few points spans little: beyond the median nothing would be learnt from.
        around = np.maximum(worst + 0.1 * np.maximum(worst - best, 1e-6), np.median(values, axis=0))
        if not len(self._prior.reference):
            return around
        given = self._scaled(np.array([self._prior.reference], dtype=float))[0]
        within = len(kept) > 0 and any((front[:, f] < given[f]).all(1).any() for f in self._fronts)
        return given if within else np.maximum(given, around)

    def _span(self, count: int) -> Array:
        return np.maximum(self._reference(count) - self._values[:count].min(0), 1e-12)

    def _nearest(self, count: int, power: int) -> tuple[NDArray[np.intp], Array]:
        """Places of the trials that are fitted, of so many and of all earlier ones; weights."""
        own = len(self.trials.y)
        places = np.r_[np.arange(count), np.arange(own, len(self._values))]
        values, span = self._values[places], self._span(count)
        beyond = np.maximum(0.0, (values - self._reference(count)) / span).max(1)
        front = minimal(values[:count])
        behind = np.full(len(values), np.inf)
        for member in front:
            behind = np.minimum(behind, ((values - member) / span).max(1))
        nearest = np.sort(np.argsort(beyond + behind, kind="stable")[:FITTED])
        fitted = places[nearest]
        return fitted, 1 / (1 + beyond[nearest]) ** power / np.where(fitted < own, 1, 2)

    def _falling(self) -> dict[int, Response]:
        """Second responses of the objectives in which trials fell beyond the reference by far."""
        worst = self._values[: len(self.trials.y)].max(0)
        beyond = (worst - self.reference) / self.span
        return {j: self._objective(j, falls=True) for j in np.flatnonzero(beyond > 1).tolist()}

    def _objective(self, index: int, *, falls: bool = False) -> Response:
        def data(count: int) -> Data:
            places, weights = self._nearest(count, FAR if falls else NEAR)
            y = self._values[places, index]
            if falls:
                y = _squeezed((y - self._reference(count)[index]) / self._span(count)[index])
            apart = (places >= len(self.trials.y)).astype(float)
            return Data(numbers=self._x[places], y=y, weights=weights, apart=apart)

        return self._fit((index, falls), len(self.trials.y), data)

    def _limit(self, name: str) -> Response | None:
        """The response of a constraint; None where hardly any trial has it."""
        x, y = self.trials.limits(name)
        if len(y) < 2:
            return None

        def data(count: int) -> Data:
            scale = max(float(np.median(np.abs(y[:count]))), 1e-12)
            # It has to be right where it begins to be broken.
            weights = 1 / (1 + np.abs(y[:count]) / scale) ** 2
            some = np.sort(np.argsort(-weights, kind="stable")[:FITTED])
            return Data(
                numbers=x[some], y=y[some], weights=weights[some], apart=np.zeros(len(some))
            )

        return self._fit(name, len(y), data)

    def _fit(self, what: object, count: int, data: Callable[[int], Data]) -> Response:
        """The response of so many trials, its scales learnt from nearly as many."""
        known = count - count % max(1, count // LEARNT)
        if (what, known) not in self._cache:
            self._cache[what, known] = learn_response(self._layout, data(known))
        return Response(self._layout, data(count), self._cache[what, known])

    def _see_fronts(self, fitted: NDArray[np.intp]) -> list[Point]:
        members: set[int] = set()
        expected = np.stack([response.process.fitted for response in self.responses], axis=1)
        own = fitted < len(self.trials.y)
        own[own] = self.trials.feasible[fitted[own]] > 0
        pending = self.predict(self.trials.pending)[0] if len(self.trials.pending) else None
        for front in self._fronts:
            found = expected[own][:, front]
            best = minimal(found)
            on = [int(np.flatnonzero((found == row).all(1))[0]) for row in best]
            members.update(self.trials.finished[place] for place in fitted[own][on])
            if pending is not None:
                best = np.vstack([best, pending[:, front]])
            self._known.append(minimal(best[(best < self.reference[front]).all(1)]))
        return [self.trials.points[number] for number in sorted(members)]


def _squeezed(ranges: Array) -> Array:
    """Positive d as log(1 + d)."""
    return np.where(ranges > 0, np.log1p(np.maximum(ranges, 0.0)), ranges)


def _stretched(ranges: Array) -> Array:
    """The inverse of `_squeezed`."""
    return np.where(ranges > 0, np.expm1(np.maximum(ranges, 0.0)), ranges)
