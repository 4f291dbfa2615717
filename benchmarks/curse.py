"""The winner's curse on made-up networks whose truth is known: how much too good fronts look.

A search of 160 trainings on a surface of `benchmarks/surfaces.py`, the uniform plans first and then
members of the front so far with a few genes changed. Its front is chosen by the scores as they were
measured, and by what all trials lead one to expect (`autoprune.runs.posterior`). Of either: by how
many points its members' accuracies are too large on average, and the true hypervolume, as a share
of the best. Then `autoprune confirm`, three fresh seeds for each plan that is trained again: as it
was until 0.2, members and what is within their noise, chosen and judged by the same seeds; and as
it is, members of the front of expected scores, of which one seed chooses and two judge.

    python benchmarks/curse.py [--seeds 10]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from surfaces import Array, Settings, Surface

from autoprune.runs.pareto import non_dominated
from autoprune.runs.posterior import posteriors
from autoprune.trial.measurement import Score

CASES = (
    ("additive", 4, 360),
    ("additive", 4, 10_000),
    ("multiplicative", 8, 360),
    ("redundant", 12, 360),
    ("cliffs", 4, 360),
    ("floor", 8, 360),
    ("correlated", 12, 10_000),
)
"""Kind, blocks and samples of validation."""

TRAININGS, FRESH = 160, 3
HEAD = "| surface | blocks | samples | front | points too good | hypervolume | again | then |"


@dataclass
class Searched:
    """What a search has measured: settings as genes, scores, energies, and the truth of both."""

    surface: Surface
    genes: np.ndarray
    seen: Array

    @property
    def settings(self) -> Settings:
        """True values of all trials."""
        return self.surface.decode(self.genes)

    @property
    def truth(self) -> Array:
        """The true accuracy of each."""
        return self.surface.accuracy(self.settings)

    def front(self, scores: Array) -> list[int]:
        """Places of the members, by these scores and the energies that were measured."""
        return non_dominated([*zip(scores.tolist(), self.seen[:, 1].tolist(), strict=True)])

    @property
    def expected(self) -> Array:
        """What all trials lead one to expect of each."""
        found, samples = self.settings, self.surface.samples
        kept = ((1 - found.sparsity) * found.kept).reshape(len(self.genes), -1)
        known = np.c_[found.steps, kept, np.sqrt(kept)]
        scores = [Score(correct=round(a * samples), total=samples) for a in self.seen[:, 0]]
        judged = posteriors(scores, self.seen[:, 1].tolist(), lambda i: tuple(known[i]))
        return np.array([one.expected for one in judged if one])

    def again(self, places: Sequence[int], rng: np.random.Generator) -> Array:
        """Accuracies on fresh seeds: members x FRESH."""
        some = self.surface.decode(self.genes[list(places)])
        return np.stack([self.surface.seen(some, rng)[:, 0] for _ in range(FRESH)], axis=1)


def search(surface: Surface, rng: np.random.Generator) -> Searched:
    """Uniform plans, then members with genes changed."""
    b = surface.blocks
    counts = np.array([20, 9, 3, 3]).repeat([2 * b, 2 * b, b, 1])
    pairs = [(s, k, t) for s in (0, 10, 16, 19) for k in (2, 4, 8) for t in (0, 2)]
    genes = np.zeros((len(pairs), len(counts)), dtype=int)
    for row, (sparsity, kept, steps) in zip(genes, pairs, strict=True):
        row[: 2 * b], row[2 * b : 4 * b], row[-1] = sparsity, kept, steps
    found = Searched(surface, genes, surface.seen(surface.decode(genes), rng))
    while len(found.genes) < TRAININGS:
        parents = found.genes[rng.choice(found.front(found.seen[:, 0]), 4)]
        hit = rng.random(parents.shape) < 3 / len(counts)
        child = np.where(hit, rng.integers(counts, size=parents.shape), parents)
        seen = surface.seen(surface.decode(child), rng)
        found = Searched(surface, np.vstack([found.genes, child]), np.vstack([found.seen, seen]))
    return found


def contenders(found: Searched, front: Sequence[int]) -> list[int]:
    """Members of a front, and what has an interval that reaches the best that is no dearer."""
    samples, kept = found.surface.samples, []
    for place, (score, energy) in enumerate(found.seen):
        beaten = [found.seen[m, 0] for m in front if found.seen[m, 1] <= energy]
        high = Score(correct=round(score * samples), total=samples).interval[1]
        if place in front or high >= max(beaten, default=0.0):
            kept.append(place)
    return kept


def compare(surface: Surface, seed: int) -> dict[str, tuple[float, float, int, float]]:
    """By either front: bias, true hypervolume, plans that are trained again, and then the bias."""
    rng = np.random.default_rng([seed, surface.samples])
    found = search(surface, rng)
    truth, expected, raw = found.truth, found.expected, found.seen[:, 0]

    def worth(front: Sequence[int], scores: Array) -> tuple[float, float]:
        volume = surface.volumes(surface.decode(found.genes[list(front)]))[0]
        return float((scores - truth)[list(front)].mean()), volume / surface.best[0]

    old, new = found.front(raw), found.front(expected)
    again = contenders(found, old)
    means = found.again(again, rng).mean(1)
    energies = found.seen[again, 1].tolist()
    stays = non_dominated([*zip(means.tolist(), energies, strict=True)])
    bias = float((means - truth[again])[stays].mean())
    fresh = found.again(new, rng)
    chosen = (expected[new] + fresh[:, 0]) / 2
    kept = non_dominated([*zip(chosen.tolist(), found.seen[new, 1].tolist(), strict=True)])
    after = float((fresh[:, 1:].mean(1) - truth[new])[kept].mean())
    return {
        "as measured": (*worth(old, raw), len(again), bias),
        "as expected": (*worth(new, expected), len(new), after),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(parser.parse_args().seeds)
    print(f"{HEAD}\n|---|---|---|---|---|---|---|---|")
    for kind, blocks, samples in CASES:
        runs = [
            compare(Surface(kind=kind, blocks=blocks, samples=samples, seed=s), s) for s in seeds
        ]
        for name in runs[0]:
            bias, volume, again, then = np.mean([run[name] for run in runs], axis=0)
            print(
                f"| {kind} | {blocks} | {samples} | {name} | {100 * bias:+.1f} | {volume:.3f} | "
                f"{again:.0f} | {100 * then:+.2f} |"
            )


if __name__ == "__main__":
    main()
