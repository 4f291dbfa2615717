"""RecipeTask: what learning rates are chosen for, and by which trainings; needs no Optuna."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoprune.compress.effort import Effort
from autoprune.compress.space import SearchSpace
from autoprune.networks.shape import NetworkShape
from autoprune.runs.recipe import Of
from autoprune.search.recipe.grid import first_rates
from autoprune.search.recipe.plans import Configuration, learning, thinned


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One rate that is chosen.

    Attributes:
        of: which. configurations: that are trained at each rate. first: the rates tried at first.
    """

    of: Of
    configurations: tuple[Configuration, ...]
    first: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeTask:
    """What learning rates are chosen for.

    Attributes:
        space, shape, effort, seed: as in the study.
        peak: the learning rate of the parent's training at its highest.
        neurons: whether the rate of what neurons learn is chosen as well, where they may.
        given: rates that the study has, which are tried among the others.
    """

    space: SearchSpace
    shape: NetworkShape
    effort: Effort
    seed: int
    peak: float
    neurons: bool
    given: Mapping[Of, float] = field(default_factory=dict)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The rates that are chosen, one after the other."""
        thin = thinned(self.space, self.shape, self.effort)
        taught = [learning(one, self.space, self.shape) for one in thin]
        found = [self._stage("learning_rate", thin)]
        if self.neurons and taught != thin:
            found.append(self._stage("neuron_learning_rate", taught))
        return tuple(found)

    @property
    def least_trainings(self) -> int:
        """How many trainings there are, and more where the best rate is an edge of those tried."""
        return sum(len(stage.configurations) * len(stage.first) for stage in self.stages)

    def _stage(self, of: Of, configurations: list[Configuration]) -> Stage:
        first = first_rates(self.peak, self.given.get(of))
        return Stage(of=of, configurations=tuple(configurations), first=tuple(first))
