"""Surfaces with known truth: accuracy and energy of made-up networks, microseconds a trial.

A branch with sparsity s and kept share k has the damage

    d = g + (1 - g) f,  g = (1 - k)^q,  f = (exp(c z) - 1) / (exp(c) - 1),  z = 1 - (1 - s) sqrt(k)

0 untouched and 1 removed, so that sparsity and rank change each other's effect. The kind of a
surface says how sensitive branches are, how their damages join, and what the machines charge. All
have in common that branches differ in sensitivity, steepness and energy, that what is thinned
fires less further down, that T and learning neurons matter a little, and what is seen of the
truth: accuracy as a share of so many validation samples, after a training that scatters as well.

Kinds are for development or for the table alone: nothing is chosen by looking at the latter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from autoprune.runs.pareto import ACCURACY_MARGIN, COST_FACTOR, front_hypervolume

Array = NDArray[np.float64]

CHANCE, PARENT = 0.1, 0.95
"""Accuracy of guessing, and of the network untouched."""

SCATTER = 0.003
"""Standard deviation of accuracy between trainings; of energy, a share of it."""

SPARSITIES = np.arange(20) * 0.05
KEPT = np.arange(9) * 0.125
STEPS = np.array([2, 3, 4])
LEARNS = ("fixed", "layer", "channel")

CELLS, ROUNDS, CHILDREN = 300, 200, 500
"""The best front is looked for in so many cells of energy, so many times with so many children."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a surface is like.

    Attributes:
        joins: what damages d_i with sensitivities s_i leave of accuracy above chance: the sum of
            s_i d_i is taken away, the product of 1 - s_i d_i is left, a pair of branches of
            neighbouring blocks loses s d_i d_j, or damage makes the blocks behind more sensitive.
        spread: standard deviation of the logarithm of sensitivities.
        correlation: between those of neighbouring blocks.
        bottleneck: whether one branch carries nearly all.
        cliffs: whether damage comes at once, beyond a threshold of each branch.
        tiles: whether machines charge for whole tiles of what is kept and halves of what is dense.
        floor: the stem's share of the parent's energy.
        development: whether the sampler may be tried on it while it is made.
    """

    joins: Literal["sum", "product", "pairs", "depth"] = "sum"
    spread: float = 0.8
    correlation: float = 0.0
    bottleneck: bool = False
    cliffs: bool = False
    tiles: bool = False
    floor: float = 0.05
    development: bool = False


KINDS = {
    "additive": Kind(development=True),
    "multiplicative": Kind(joins="product", development=True),
    "bottleneck": Kind(joins="product", bottleneck=True, development=True),
    "redundant": Kind(joins="pairs", development=True),
    "correlated": Kind(spread=1.2, correlation=0.9),
    "cliffs": Kind(cliffs=True),
    "tiles": Kind(joins="product", tiles=True),
    "floor": Kind(joins="depth", floor=0.5),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Configurations, one a row: of branches rows x blocks x (attention, mlp)."""

    sparsity: Array
    kept: Array
    learns: Array
    steps: Array


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A made-up network on two machines; the same arguments make the same one.

    Attributes:
        kind: a name of `KINDS`. blocks: their number. seed: draws sensitivities and energies.
        machines: of how many the energy is an objective. samples: of validation.
    """

    kind: str
    blocks: int
    machines: int = 1
    samples: int = 10_000
    seed: int = 0

    @cached_property
    def _drawn(self) -> dict[str, Array]:
        """What differs between branches."""
        what, shape = KINDS[self.kind], (self.blocks, 2)
        rng = np.random.default_rng([self.seed, list(KINDS).index(self.kind), self.blocks])
        levels = rng.normal(size=shape)
        for block in range(1, self.blocks):
            fresh = np.sqrt(1 - what.correlation**2)
            levels[block] = what.correlation * levels[block - 1] + fresh * levels[block]
        sensitivity = np.exp(what.spread * levels) * np.array([0.7, 1.3])
        sensitivity *= 0.9 / sensitivity.sum()
        if what.joins == "pairs":
            sensitivity *= 3
        if what.bottleneck:
            sensitivity *= 0.25
            sensitivity[rng.integers(self.blocks), rng.integers(2)] = 2.0
        return {
            "sensitivity": np.minimum(sensitivity, 0.9) if what.joins != "sum" else sensitivity,
            "steepness": rng.uniform(5, 9, shape),
            "power": rng.uniform(1.5, 4, shape),
            "cliff": rng.uniform(0.55, 0.97, shape),
            "weight": np.exp(0.4 * rng.normal(size=(2, *shape))) * np.array([0.7, 1.3]),
            "quiet": rng.uniform(0.0, 0.15, shape),
            "neuron": 0.002 * rng.random(shape[0]),
            "step": rng.uniform(0.004, 0.012, 1),
        }

    def damage(self, sparsity: Array, kept: Array) -> Array:
        """Depth of cut of every branch, 0 untouched and 1 removed."""
        drawn = self._drawn
        z = 1 - (1 - sparsity) * np.sqrt(kept)
        if KINDS[self.kind].cliffs:
            return 1 / (1 + np.exp(-40 * (z - drawn["cliff"]))) - 1 / (
                1 + np.exp(40 * drawn["cliff"])
            )
        g = (1 - kept) ** drawn["power"]
        return g + (1 - g) * np.expm1(drawn["steepness"] * z) / np.expm1(drawn["steepness"])

    def accuracy(self, settings: Settings) -> Array:
        """The true one."""
        drawn, joins = self._drawn, KINDS[self.kind].joins
        loss = drawn["sensitivity"] * self.damage(settings.sparsity, settings.kept)
        if joins == "pairs":
            # Two branches of neighbouring blocks stand in for each other; an odd one is alone.
            damage = loss / drawn["sensitivity"]
            partner = np.arange(self.blocks) ^ 1
            partner[partner == self.blocks] = self.blocks - 1
            loss = loss * damage[:, partner] / 2
        if joins == "depth":
            before = np.cumsum(loss.sum(2), axis=1) - loss.sum(2)
            loss = loss * (1 + 3 * before[:, :, None])
        left = 1 - loss.sum((1, 2)) if joins != "product" else (1 - loss).prod((1, 2))
        left -= drawn["step"][0] * (4 - settings.steps) ** 2
        learnt = (settings.learns * drawn["neuron"]).sum(1)
        return np.clip(CHANCE + (PARENT - CHANCE) * np.maximum(left, 0) + learnt, CHANCE, 1.0)

    def energies(self, settings: Settings) -> Array:
        """The true ones of all machines, rows x machines: the parent's is about 1."""
        drawn, what = self._drawn, KINDS[self.kind]
        dense, kept = 1 - settings.sparsity, settings.kept
        if what.tiles:
            dense, kept = np.ceil(2 * dense) / 2, np.ceil(4 * kept) / 4
        thinned = (1 - drawn["quiet"] * (1 - dense * kept)).prod(2)
        firing = np.cumprod(thinned, axis=1) / thinned
        found = []
        for machine, weight in enumerate(drawn["weight"]):
            share = dense if machine == 0 else 0.7 + 0.3 * dense
            work = (weight * share * kept * (firing[:, :, None] if machine == 0 else 1)).sum((1, 2))
            whole = what.floor + (1 - what.floor) * work / weight.sum()
            found.append(whole * settings.steps / STEPS[-1])
        return np.stack(found, axis=1)

    def seen(self, settings: Settings, rng: np.random.Generator) -> Array:
        """What trainings give: rows x objectives."""
        accuracy = self.accuracy(settings) + SCATTER * rng.normal(size=len(settings.steps))
        energy = self.energies(settings)[:, : self.machines]
        scattered = energy * np.exp(SCATTER * rng.normal(size=energy.shape))
        share = rng.binomial(self.samples, np.clip(accuracy, 0, 1)) / self.samples
        return np.column_stack([share, scattered])

    @property
    def untouched(self) -> Settings:
        """The parent."""
        whole = np.ones((1, self.blocks, 2))
        zeros = np.zeros((1, self.blocks))
        return Settings(sparsity=0 * whole, kept=whole, learns=zeros, steps=np.array([4.0]))

    def volumes(self, settings: Settings) -> list[float]:
        """Hypervolume of the truth on each machine, as the report counts it."""
        parent = self.untouched
        accuracy, energies = self.accuracy(settings), self.energies(settings)
        limit = float(self.accuracy(parent)[0]) - ACCURACY_MARGIN
        ends = COST_FACTOR * self.energies(parent)[0]
        return [
            front_hypervolume(zip(accuracy, energies[:, m], strict=True), (limit, float(ends[m])))
            for m in range(self.machines)
        ]

    @cached_property
    def best(self) -> list[float]:
        """The hypervolume of the best front that is known, on each machine."""
        return [self.volumes(self._evolved(machine))[machine] for machine in range(self.machines)]

    def _evolved(self, machine: int) -> Settings:
        """The most accurate network in every cell of energy, evolved on the truth."""
        rng = np.random.default_rng(0)
        limit = self.accuracy(self.untouched)[0] - ACCURACY_MARGIN
        genes = np.zeros((1, 5 * self.blocks + 1), dtype=int)
        genes[0, 2 * self.blocks : 4 * self.blocks], genes[0, -1] = 8, 2
        values = self._placed(genes, machine)
        counts = np.array([20, 9, 3, 3]).repeat([2 * self.blocks, 2 * self.blocks, self.blocks, 1])
        for _ in range(ROUNDS):
            mother, father = genes[rng.integers(len(genes), size=(2, CHILDREN))]
            child = np.where(rng.random(mother.shape) < rng.choice([0, 0.5]), father, mother)
            hit = rng.random(child.shape) < rng.choice([1, 2, 5], size=(CHILDREN, 1)) / len(counts)
            near = child + rng.integers(-2, 3, child.shape)
            far = rng.integers(counts, size=child.shape)
            changed = np.where(rng.random(child.shape) < 0.7, near, far)
            child = np.clip(np.where(hit, changed, child), 0, counts - 1)
            genes = np.vstack([genes, child])
            values = np.vstack([values, self._placed(child, machine)])
            order = np.lexsort((-values[:, 1], values[:, 0]))
            first = order[np.r_[True, np.diff(values[order, 0]) > 0]]
            first = first[values[first, 1] > limit - 0.02]
            genes, values = genes[first], values[first]
        return self.decode(genes)

    def _placed(self, genes: NDArray[np.int_], machine: int) -> Array:
        """Cell of energy and accuracy of rows of genes."""
        found = self.decode(genes)
        energy = np.log10(self.energies(found)[:, machine])
        return np.column_stack([np.floor(energy * CELLS / 3), self.accuracy(found)])

    def decode(self, genes: NDArray[np.int_]) -> Settings:
        """Settings of rows of places in the lists of values: sparsities, kept, learns, T."""
        count, b = len(genes), self.blocks
        return Settings(
            sparsity=SPARSITIES[genes[:, : 2 * b]].reshape(count, b, 2),
            kept=KEPT[genes[:, 2 * b : 4 * b]].reshape(count, b, 2),
            learns=genes[:, 4 * b : 5 * b].astype(float),
            steps=STEPS[genes[:, -1]].astype(float),
        )
