"""Task: what a search is asked to do, as functions and values that know neither study nor setup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoprune.compress.plan import Effort, Plan
from autoprune.compress.space import SearchSpace
from autoprune.networks.shape import NetworkShape
from autoprune.runs.budget import Excess
from autoprune.runs.outcome import Charge
from autoprune.search.spec import Sampler
from autoprune.search.warm_start import WarmStart
from autoprune.trial.measurement import Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a search is asked to do.

    Attributes:
        space, shape, effort, seed, sampler, lag, trials: as in the study.
        metrics: names of the objectives. score: the name of what is maximised.
        objectives: the values that Optuna is told of a measurement, in the study's order; raises
            AutopruneError where one is unknown.
        charges: what the study's machines charge for a measurement; kept with its outcome.
        excess: by budget, how far a measurement is beyond it; raises as `objectives` does.
        known_excess: likewise of a plan, of those budgets that training cannot change.
        stop_below: as in the study. warm: what another run has measured.
    """

    space: SearchSpace
    shape: NetworkShape
    effort: Effort
    seed: int
    sampler: Sampler
    lag: int
    trials: int
    metrics: Sequence[str]
    score: str
    objectives: Callable[[Measurement], list[float]]
    charges: Callable[[Measurement], tuple[tuple[str, Charge], ...]]
    excess: Callable[[Measurement], Excess]
    known_excess: Callable[[Plan], Excess]
    stop_below: float | None = None
    warm: WarmStart | None = None
