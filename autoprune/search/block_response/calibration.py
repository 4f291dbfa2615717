"""Calibration: did trials come out as the sampler said, by what it noted when it proposed them.

The error of a prediction, over the standard deviation that it had, has a root mean square of 1
where the doubt is right, less where it is too large. The gain of hypervolume that was expected,
over the one that came, both summed over trials, is 1 where the promise is kept. What came is by
values as they were seen, beside all trials before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from autoprune.runs.pareto import hypervolume, minimal
from autoprune.runs.record import Calibration
from autoprune.search.block_response.axis import Array

GAIN = "block_response:gain"
"""System attribute of a trial: the gain of hypervolume that it promised, as a share of the box
between the best values seen and the reference, summed over fronts; see `Record`."""

EXPECTED = "block_response:expected"
"""System attribute of a trial: `Expected`, as JSON values."""


LAST, MOST = 24, 16
"""So many trials say how much is to be expected of the next, each as if off by at most so many
standard deviations."""

BEFORE, USUAL_SHIFT, USUAL_SCALE = 2, 0.7, 1.5
"""As many trials as before the first have been seen to miss by so many standard deviations, and
twice as many to scatter by so many about that."""

USUAL_GAIN, USUAL_KEPT = 0.1, 0.2
"""As much gain as before the first has been promised, and how much of it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What was expected of a trial when it was proposed.

    Values are minimised: those to be maximised have the other sign. Those of `log` are logarithms
    to base 10.

    Attributes:
        mean, std: by the responses, of what is seen of each objective, noise included; of both
            responses, by how likely it falls beyond the reference, where there are two.
        shift, scale, kept: see `Record`: as others before have come out, the mean is expected
            `shift` times `std` higher, the deviation is `scale` times `std`, and of the gain that
            follows a share of `kept` is expected.
        signs: -1 where it is maximised, else 1. log: whether it is a logarithm.
        fronts: the objectives, by index, of each front. reference: where fronts end.
        span: from there to the best values.
    """

    mean: Sequence[float]
    std: Sequence[float]
    shift: Sequence[float]
    scale: Sequence[float]
    kept: float
    signs: Sequence[float]
    log: Sequence[bool]
    fronts: Sequence[Sequence[int]]
    reference: Sequence[float]
    span: Sequence[float]

    def to_dict(self) -> dict[str, Any]:
        """It as JSON values."""
        return asdict(self)

    def missed(self, values: Array) -> Array:
        """How far the responses were off, in their standard deviations, by objective; see `std`."""
        return np.asarray((self.scaled(values[None])[0] - self.mean) / np.array(self.std))

    def errors(self, values: Array) -> Array:
        """Standardised errors of what was expected, by objective."""
        return np.asarray((self.missed(values) - self.shift) / np.array(self.scale))

    def scaled(self, values: Array) -> Array:
        """Rows of values as the sampler has them; what has no logarithm is infinitely little."""
        log = np.array(self.log)
        rows = np.where(values > 0, np.log10(np.where(values > 0, values, 1.0)), -np.inf)
        return np.asarray(np.where(log, rows, values) * np.array(self.signs))


@final
class Record:
    """How what was expected came out, trial after trial.

    What is proposed was chosen out of a thousand candidates for what it promises, and so promises
    too much. How far the last ones were off moves and widens what is expected of the next, and so
    does the share of promised gains that came; both begin at what is usual.
    """

    def __init__(self) -> None:
        self._trials: list[FrozenTrial] = []
        self._begin()

    def _begin(self) -> None:
        self._known: list[Array] = []
        self._fronts: dict[tuple[int, ...], tuple[Array, int]] = {}
        self._missed: list[Array] = []
        self._errors: list[Array] = []
        self._gains: list[tuple[float, float]] = []
        self._expected = 0.0

    def add(self, trial: FrozenTrial) -> None:
        """Take in a trial with values; the order in which they come does not matter."""
        late = bool(self._trials) and trial.number < self._trials[-1].number
        self._trials.append(trial)
        if not late:
            self._take(trial)
            return
        self._trials.sort(key=lambda one: one.number)
        self._begin()
        for one in self._trials:
            self._take(one)

    def _take(self, trial: FrozenTrial) -> None:
        """Take in the trial that is next by its number."""
        feasible = all(value <= 0 for value in trial.constraints.values())
        values = np.array(trial.values)
        if (noted := trial.system_attrs.get(EXPECTED)) is not None:
            found = Expected(**noted)
            if np.isfinite(found.scaled(values[None])).all():
                self._missed.append(found.missed(values))
                self._errors.append(found.errors(values))
                gain = self._gain(values, found) if feasible else 0.0
                self._gains.append((trial.system_attrs[GAIN] / found.kept, gain))
                self._expected += trial.system_attrs[GAIN]
        if feasible:
            self._known.append(values)

    def _gain(self, values: Array, expected: Expected) -> float:
        """Hypervolume that values add to those of the trials before, as the sampler counts it."""
        total = 0.0
        for front in map(tuple, expected.fronts):
            before = self._front(front, expected)
            after = np.vstack([before, expected.scaled(values[None])[:, front]])
            reference = np.array(expected.reference)[[*front]]
            volume = hypervolume(after, reference) - hypervolume(before, reference)
            total += volume / float(np.prod(np.array(expected.span)[[*front]]))
        return total

    def _front(self, front: tuple[int, ...], expected: Expected) -> Array:
        """The front of the trials before; what costs nothing does nothing, and is on none."""
        known, done = self._fronts.get(front, (np.zeros((0, len(front))), 0))
        new = np.array(self._known[done:]).reshape(-1, len(expected.signs))
        rows = expected.scaled(new)
        rows = rows[np.isfinite(rows).all(1)][:, front]
        found = minimal(np.vstack([known, rows]))
        self._fronts[front] = (found, len(self._known))
        return found

    def misses(self, objectives: int) -> tuple[Array, Array]:
        """Shift and scale of what is expected next, by objective."""
        missed = np.array(self._missed[-LAST:]).reshape(-1, objectives).clip(-MOST, MOST)
        count = len(missed)
        shift = (missed.sum(0) + BEFORE * USUAL_SHIFT) / (count + BEFORE)
        squares = ((missed - shift) ** 2).sum(0)
        usual = 2 * BEFORE * USUAL_SCALE**2
        return shift, np.sqrt((squares + usual) / (count + 2 * BEFORE))

    @property
    def kept(self) -> float:
        """Share of promised gains that comes."""
        promised, came = np.array([(0.0, 0.0), *self._gains[-LAST:]]).sum(0)
        return float((came + USUAL_KEPT * USUAL_GAIN) / (promised + USUAL_GAIN))

    def calibration(self, names: Sequence[str]) -> Calibration | None:
        """Calibration so far; None where nothing was expected of any trial that has values."""
        if not self._errors:
            return None
        squares = (np.array(self._errors) ** 2).mean(0)
        return Calibration(
            trials=len(self._errors),
            errors=dict(zip(names, np.sqrt(squares).tolist(), strict=True)),
            expected=self._expected,
            realised=sum(came for _, came in self._gains),
        )


def calibration(trials: Iterable[FrozenTrial], names: Sequence[str]) -> Calibration | None:
    """Calibration over the trials of a study, in order; `names` are those of its objectives."""
    record = Record()
    for trial in trials:
        if trial.state == TrialState.COMPLETE:
            record.add(trial)
    return record.calibration(names)
