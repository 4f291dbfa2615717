"""BlockResponseSampler: fits the parts' responses, breeds candidates, asks for the best gain.

Explained in docs/block_response.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import islice
from threading import Lock
from typing import Any, final

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import IntersectionSearchSpace
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from autoprune.search.block_response.axis import Point
from autoprune.search.block_response.calibration import EXPECTED, GAIN
from autoprune.search.block_response.evolve import Pool
from autoprune.search.block_response.model import Cache, Model
from autoprune.search.block_response.parts import Layout
from autoprune.search.block_response.prior import Prior
from autoprune.search.block_response.trials import Trials

_LOCK = Lock()
"""Lock of what a sampler keeps between trials: Optuna may ask from several threads."""


@final
class BlockResponseSampler(BaseSampler):
    """An Optuna sampler for objectives that add up over parts of what is searched.

    Args:
        prior: what is known of the study.
        seed: with the trial's number, of everything random; a proposal depends on nothing else but
            the study's trials.
        startup_trials: so many finished trials are drawn at random.
    """

    def __init__(
        self,
        prior: Prior | None = None,
        *,
        seed: int | None = None,
        startup_trials: int = 10,
    ) -> None:
        self._prior = prior or Prior()
        self._startup = max(startup_trials, 1)
        self._seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
        self._random = RandomSampler(seed=self._seed)  # until `before_trial` makes the trial's own
        self._space = IntersectionSearchSpace()
        self._trials: tuple[object, Trials] | None = None
        self._seen: set[Hashable] = set()
        self._looked_at = 0
        self._layout: Layout | None = None
        self._learnt: Cache = {}

    def reseed_rng(self) -> None:
        """Draw another seed, as Optuna asks for in each of several threads."""
        self._seed = int(np.random.SeedSequence().generate_state(1)[0])

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The parameters that all finished trials have, but those of one value."""
        space = self._space.calculate(study)
        return {name: found for name, found in space.items() if not found.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The next configuration; empty while there are too few trials."""
        if not search_space:
            return {}
        with _LOCK:
            return self._propose(study, trial, search_space)

    def _propose(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> Point:
        trials = self._read(study, trial.number, search_space)
        if len(trials.y) + len(self._prior.earlier) < self._startup:
            return {}
        rng = np.random.default_rng([self._seed, trial.number])
        if self._layout is None:
            # Harsh is where what is maximised and what it costs fall; the high end if unknown.
            rises = {name: sum(self._prior.monotone.get(name, ())) for name in trials.axes}
            harsh = {name: found <= 0 for name, found in rises.items()}
            self._layout = Layout(trials.axes, self._prior.group, harsh)
        model = Model(trials, self._prior, self._layout, self._learnt)
        pool = Pool(model, self._layout.kinds, rng)
        chosen = self._first_new(trials, pool)
        if chosen is None:
            return {}
        point = pool.point(chosen)
        numbers = trials.numbers([point])
        promised, expected = model.promised(numbers), model.expected(numbers).to_dict()
        for name, value in ((GAIN, promised), (EXPECTED, expected)):
            study._storage.set_trial_system_attr(trial._trial_id, name, value)
        return point

    def _first_new(self, trials: Trials, pool: Pool) -> int | None:
        """The candidate of most gain that is not the same as any trial so far."""
        identity = self._prior.identity or (lambda point: tuple(point[n] for n in trials.space))
        for point in islice(trials.points.values(), self._looked_at, None):
            self._seen.add(identity(point))
        self._looked_at = len(trials.points)
        for i in range(len(pool.gains)):
            if identity(pool.point(i)) not in self._seen:
                return i
        return None

    def _read(self, study: Study, number: int, search_space: dict[str, BaseDistribution]) -> Trials:
        key = (study._storage, study._study_id)
        if (
            self._trials is None
            or self._trials[0] != key
            or (self._trials[1].space != search_space)
        ):
            self._trials = (key, Trials(search_space))
            self._seen, self._looked_at = set(), 0
            self._layout, self._learnt = None, {}
        trials = self._trials[1]
        trials.update(study, number)
        return trials

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """At random: the first trials, and parameters that only some trials have."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Make what is drawn at random depend on the trial's number alone."""
        seeds = np.random.SeedSequence([self._seed, trial.number])
        self._random = RandomSampler(seed=int(seeds.generate_state(1)[0]))

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Nothing to keep."""
