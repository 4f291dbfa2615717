"""Trials of a study as arrays: read once, since a finished trial never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from autoprune.search.block_response.axis import Array, Axis, Point
from autoprune.search.block_response.calibration import Record


@final
class Trials:
    """What a study knows, for one search space.

    Attributes:
        space: the distributions. axes: of its parameters.
        limit_names: of the constraints.
        points: the parameters of all trials, by number.
        finished: numbers of those with values. record: of what was expected of them.
        pending: trials that run, as numbers.
        signs: per objective, -1 where it is maximised, else 1.
    """

    def __init__(self, space: Mapping[str, BaseDistribution]) -> None:
        self.space = dict(space)
        self.axes = {name: Axis(distribution) for name, distribution in space.items()}
        self.limit_names: list[str] = []
        self._read: set[int] = set()
        self._first_unread = 0
        self._x, self._y, self._feasible = Rows(), Rows(), Rows()
        self.record = Record()
        self._limited: list[tuple[Array, dict[str, float]]] = []
        self.points: dict[int, Point] = {}
        self.finished: list[int] = []
        self.pending = np.zeros((0, 0))
        self.signs = np.ones(0)

    def numbers(self, points: Sequence[Mapping[str, Any]]) -> Array:
        """Configurations as a number per parameter."""
        return np.stack(
            [axis.numbers([point[name] for point in points]) for name, axis in self.axes.items()],
            axis=1,
        )

    def update(self, study: Study, current: int) -> None:
        """Read what is new; `current` is the number of the trial that is asked for."""
        self.signs = np.where(np.array(study.directions) == StudyDirection.MAXIMIZE, -1.0, 1.0)
        pending: list[Point] = []
        for trial in study.get_trials(deepcopy=False)[self._first_unread :]:
            number = trial.number
            if number in self._read or number == current:
                continue
            covered = number in self.points or self._covers(trial)
            if covered and number not in self.points:
                same = trial.params.keys() == self.space.keys()
                own = trial.params if same else {name: trial.params[name] for name in self.space}
                self.points[number] = own
            if not trial.state.is_finished():
                pending += [trial.params] if covered else []
                continue
            self._read.add(number)
            if covered:
                self._take(trial)
        while self._first_unread in self._read:
            self._read.discard(self._first_unread)
            self._first_unread += 1
        self.pending = self.numbers(pending)

    def _take(self, trial: FrozenTrial) -> None:
        """Read a trial that has ended."""
        row = self.numbers([trial.params])[0]
        if trial.constraints:
            self._limited.append((row, dict(trial.constraints)))
            self.limit_names = sorted({*self.limit_names, *trial.constraints})
        if trial.state == TrialState.COMPLETE and np.all(np.isfinite(trial.values)):
            self.finished.append(trial.number)
            self._x.add(row)
            self._y.add(np.array(trial.values))
            self.record.add(trial)
            self._feasible.add(np.array(float(all(v <= 0 for v in trial.constraints.values()))))

    def _covers(self, trial: FrozenTrial) -> bool:
        """Whether a trial has every parameter, with a value that the space still has."""
        return all(
            name in trial.params
            and distribution._contains(distribution.to_internal_repr(trial.params[name]))
            for name, distribution in self.space.items()
        )

    @property
    def x(self) -> Array:
        """The trials with values, as a number per parameter."""
        return self._x.array.reshape(-1, len(self.axes))

    @property
    def y(self) -> Array:
        """Their values, as the study has them."""
        return self._y.array

    @property
    def feasible(self) -> Array:
        """Whether they keep all constraints, 1 or 0."""
        return self._feasible.array

    def limits(self, name: str) -> tuple[Array, Array]:
        """Trials and values of one constraint; what is above 0 breaks it."""
        known = [(row, limits[name]) for row, limits in self._limited if name in limits]
        return np.array([row for row, _ in known]), np.array([value for _, value in known])


@final
class Rows:
    """An array to whose end rows are added, without copying all of it each time."""

    def __init__(self) -> None:
        self._room, self._count = np.zeros((0,)), 0

    def add(self, row: Array) -> None:
        """Add a row."""
        if self._count == len(self._room):
            larger = np.zeros((max(64, 2 * self._count), *row.shape))
            if self._count:
                larger[: self._count] = self._room
            self._room = larger
        self._room[self._count] = row
        self._count += 1

    @property
    def array(self) -> Array:
        """All rows; not to be written to."""
        return self._room[: self._count]
