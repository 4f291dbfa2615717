"""Trials of a study as arrays: read once, since a finished trial never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from autoprune.search.block_response.axis import Array, Axis


@final
class Trials:
    """What a study knows, for one search space.

    Attributes:
        space: the distributions. axes: of its parameters.
        limit_names: of the constraints.
        points: the parameters of all trials, by number.
        finished: numbers of those with values.
        pending: columns of trials that run.
        signs: per objective, -1 where it is maximised, else 1.
    """

    def __init__(self, space: Mapping[str, BaseDistribution]) -> None:
        self.space = dict(space)
        self.axes = {name: Axis(distribution) for name, distribution in space.items()}
        self.limit_names: list[str] = []
        self._read: set[int] = set()
        self._x: list[Array] = []
        self._y: list[list[float]] = []
        self._feasible: list[bool] = []
        self._limited: list[tuple[Array, dict[str, float]]] = []
        self.points: dict[int, dict[str, Any]] = {}
        self.finished: list[int] = []
        self.pending = np.zeros((0, 0))
        self.signs = np.ones(0)

    def rows(self, points: Sequence[Mapping[str, Any]]) -> Array:
        """The columns of configurations."""
        return np.hstack(
            [axis.rows([point[name] for point in points]) for name, axis in self.axes.items()]
        )

    def update(self, study: Study, current: int) -> None:
        """Read what is new; `current` is the number of the trial that is asked for."""
        self.signs = np.where(np.array(study.directions) == StudyDirection.MAXIMIZE, -1.0, 1.0)
        pending: list[dict[str, Any]] = []
        for trial in study.get_trials(deepcopy=False):
            number = trial.number
            if number in self._read or number == current or not self._covers(trial):
                continue
            self.points[number] = {name: trial.params[name] for name in self.space}
            if not trial.state.is_finished():
                pending.append(trial.params)
                continue
            self._read.add(number)
            row = self.rows([trial.params])[0]
            if trial.constraints:
                self._limited.append((row, dict(trial.constraints)))
                self.limit_names = sorted({*self.limit_names, *trial.constraints})
            if trial.state == TrialState.COMPLETE and np.all(np.isfinite(trial.values)):
                self.finished.append(number)
                self._x.append(row)
                self._y.append(trial.values)
                self._feasible.append(all(v <= 0 for v in trial.constraints.values()))
        self.pending = self.rows(pending)

    def _covers(self, trial: FrozenTrial) -> bool:
        """Whether a trial has every parameter, with a value that the space still has."""
        return all(
            name in trial.params
            and distribution._contains(distribution.to_internal_repr(trial.params[name]))
            for name, distribution in self.space.items()
        )

    @property
    def x(self) -> Array:
        """Columns of trials with values."""
        return np.array(self._x)

    @property
    def y(self) -> Array:
        """Their values, as the study has them."""
        return np.array(self._y)

    @property
    def feasible(self) -> Array:
        """Whether they keep all constraints, 1 or 0."""
        return np.array(self._feasible, dtype=float)

    def limits(self, name: str) -> tuple[Array, Array]:
        """Columns and values of one constraint; what is above 0 breaks it."""
        known = [(row, limits[name]) for row, limits in self._limited if name in limits]
        return np.array([row for row, _ in known]), np.array([[value] for _, value in known])
