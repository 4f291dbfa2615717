"""A surface of `benchmarks/surfaces.py` as a search sees it: a network of so many blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from surfaces import LEARNS, Array, Settings, Surface

from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.compress.space import load_space
from autoprune.compress.uniform import uniform_sweep
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape
from autoprune.search.block_response import Prior
from autoprune.search.prior import network_prior
from autoprune.search.samplers import distributions, to_params

SPACE = Path(__file__).parent / "search_space_surfaces.toml"
METRICS = ("accuracy", "energy_uj@loihi1", "energy_uj@systolic_14x12")

Params = dict[str, Any]


class Network:
    """A surface as a search sees it: parameters, what is told of them, and where it begins."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        matrix = MatrixShape(name="w", weights_per_dimension=64)
        branches = tuple(
            BranchShape(name=name, groups=1, size=64, matrices=(matrix,))
            for name in ("attention", "mlp")
        )
        self.shape = NetworkShape(blocks=(BlockShape(branches=branches),) * surface.blocks)
        self.effort = Effort(time_steps=4, learning_rate=0.01, epochs=1)
        self.space = load_space(str(SPACE))
        self.domains = self.space.parameters(self.shape)
        self.distributions: dict[str, BaseDistribution] = distributions(self.domains)
        self.metrics = METRICS[: 1 + surface.machines]
        self.neutral = self.space.complete({}, self.shape, self.effort)
        sweep = uniform_sweep(self.space, self.shape, self.effort)
        self.first = [self.params(point) for point in (self.neutral, *sweep)]

    def params(self, configuration: Mapping[Parameter, Value]) -> Params:
        """A configuration as Optuna has it."""
        return to_params(configuration, self.domains)

    def settings(self, *points: Params) -> Settings:
        """Optuna's parameters of some plans as the surface takes them."""
        blocks = range(self.surface.blocks)
        branches = [[f"blocks.{b}.{name}" for name in ("attention", "mlp")] for b in blocks]

        def of(setting: str) -> Array:
            rows = [[[p[f"{n}.{setting}"] for n in names] for names in branches] for p in points]
            return np.array(rows)

        learns = [[LEARNS.index(p[f"blocks.{b}.neuron.threshold"]) for b in blocks] for p in points]
        return Settings(
            sparsity=of("l1p"),
            kept=of("dsp"),
            learns=np.array(learns, dtype=float),
            steps=np.array([2.0 + p["time_steps"] for p in points]),
        )

    def seen(self, params: Params, rng: np.random.Generator) -> Array:
        """What a training gives, an objective each."""
        return self.surface.seen(self.settings(params), rng)[0]

    def identity(self, params: Mapping[str, Any]) -> tuple[Any, ...]:
        """What makes two plans the same: the sparsity of a branch that is gone is nothing."""
        gone = {
            n.removesuffix("dsp") + "l1p" for n, v in params.items() if n.endswith("dsp") and not v
        }
        return tuple(0.0 if name in gone else params[name] for name in self.distributions)

    @cached_property
    def prior(self) -> Prior:
        """What autoprune tells block_response."""
        parent = self.surface.untouched
        tuned = [float(self.surface.accuracy(parent)[0]), *self.surface.energies(parent)[0]]
        return network_prior(
            self.domains, self.metrics, "accuracy", tuned[: len(self.metrics)], self.identity
        )

    def share(self, trained: Sequence[Params]) -> float:
        """True hypervolume of what was trained, as a share of the best, mean over machines."""
        whole = self.settings(*trained)
        pairs = zip(self.surface.volumes(whole), self.surface.best, strict=True)
        return float(np.mean([found / best for found, best in pairs]))
