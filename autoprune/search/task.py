"""Task: what a search is asked to do, as values and goals that know neither study nor setup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from autoprune.compress.effort import Effort
from autoprune.compress.plan import Plan
from autoprune.compress.space import SearchSpace
from autoprune.networks.shape import NetworkShape
from autoprune.runs.budget import Excess
from autoprune.runs.outcome import Charges
from autoprune.search.spec import SearchSpec
from autoprune.search.warm_start import WarmStart
from autoprune.trial.measurement import Measurement


class Goals(Protocol):
    """What a search is for, and what its trials may not break."""

    @property
    def metrics(self) -> Sequence[str]:
        """Names of the objectives."""

    @property
    def score(self) -> str:
        """The name of what is maximised."""

    def objectives(self, measurement: Measurement) -> list[float]:
        """The values that Optuna is told, in the order of `metrics`.

        Raises AutopruneError where one is unknown.
        """

    def charges(self, measurement: Measurement) -> Charges:
        """What the study's machines charge; kept with the outcome."""

    def excess(self, measurement: Measurement) -> Excess:
        """By budget, how far the measurement is beyond it; raises as `objectives` does."""

    def own_work(self, charges: Charges, parent: Charges) -> Excess:
        """By machine of an objective, how far a network is from an answer there, beside the parent.

        See `autoprune.runs.own_work.beyond`.
        """

    def known_excess(self, plan: Plan) -> Excess:
        """How far a plan is beyond budgets that training cannot change, by budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a search is asked to do.

    Attributes:
        space, shape, effort, seed, search, trials: as in the study.
        goals: see there. warm: what another run has measured.
    """

    space: SearchSpace
    shape: NetworkShape
    effort: Effort
    seed: int
    search: SearchSpec
    trials: int
    goals: Goals
    warm: WarmStart | None = None
