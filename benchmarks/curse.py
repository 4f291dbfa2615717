"""The winner's curse on made-up networks whose truth is known: how much too good fronts look.

A search of 160 trainings on a surface of `benchmarks/surfaces.py`, the uniform sweep first and then
what `block_response` proposes. Its front is chosen by the scores as they were measured, and by what
all trials lead one to expect (`autoprune.runs.posterior`). Of either: by how many points its
members' accuracies are too large on average, and the true hypervolume, as a share of the best.
Then `autoprune confirm`, three fresh seeds for each plan that is trained again: as it was until
0.2, members and what is within their noise, chosen and judged by the same seeds; and as it is,
members of the front of expected scores, of which one seed chooses and two judge.

    python benchmarks/curse.py [--seeds 10] [--trainings 160]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from made_up import Network, Params
from naive import Search
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

FRESH = 3
HEAD = "| surface | blocks | samples | front | points too good | hypervolume | again | then |"


@dataclass(frozen=True)
class Found:
    """What a search has measured: plans, scores and energies, and the truth of both."""

    network: Network
    trained: list[Params]
    seen: Array

    @property
    def truth(self) -> Array:
        """The true accuracy of each."""
        return self.network.surface.accuracy(self.network.settings(*self.trained))

    def of(self, places: Sequence[int]) -> Settings:
        """Some of the plans."""
        return self.network.settings(*(self.trained[place] for place in places))

    def front(self, scores: Array) -> list[int]:
        """Places of the members, by these scores and the energies that were measured."""
        return non_dominated([*zip(scores.tolist(), self.seen[:, 1].tolist(), strict=True)])

    @property
    def expected(self) -> Array:
        """What all trials lead one to expect of each."""
        found, samples = self.network.settings(*self.trained), self.network.surface.samples
        kept = ((1 - found.sparsity) * found.kept).reshape(len(self.trained), -1)
        known = np.c_[found.steps, kept, np.sqrt(kept)]
        scores = [Score(correct=round(a * samples), total=samples) for a in self.seen[:, 0]]
        judged = posteriors(scores, self.seen[:, 1].tolist(), lambda i: tuple(known[i]))
        return np.array([one.expected for one in judged if one])

    def again(self, places: Sequence[int], rng: np.random.Generator) -> Array:
        """Accuracies on fresh seeds: members x FRESH."""
        surface, some = self.network.surface, self.of(places)
        return np.stack([surface.seen(some, rng)[:, 0] for _ in range(FRESH)], axis=1)


def searched(network: Network, seed: int, trainings: int) -> Found:
    """What autoprune trains and measures."""
    search = Search(network, seed, seconds=0.0)
    for _ in range(trainings):
        search.go_on()
    return Found(network, search.trained, np.array(search.seen))


def contenders(found: Found, front: Sequence[int]) -> list[int]:
    """Members of a front, and what has an interval that reaches the best that is no dearer."""
    samples, kept = found.network.surface.samples, []
    for place, (score, energy) in enumerate(found.seen):
        beaten = [found.seen[m, 0] for m in front if found.seen[m, 1] <= energy]
        high = Score(correct=round(score * samples), total=samples).interval[1]
        if place in front or high >= max(beaten, default=0.0):
            kept.append(place)
    return kept


def compare(
    surface: Surface, seed: int, trainings: int
) -> dict[str, tuple[float, float, int, float]]:
    """By either front: bias, true hypervolume, plans that are trained again, and then the bias."""
    rng = np.random.default_rng([seed, surface.samples])
    found = searched(Network(surface), seed, trainings)
    truth, expected, raw = found.truth, found.expected, found.seen[:, 0]

    def worth(front: Sequence[int], scores: Array) -> tuple[float, float]:
        volume = surface.volumes(found.of(front))[0]
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
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trainings", type=int, default=160)
    given = parser.parse_args()
    print(f"{HEAD}\n|---|---|---|---|---|---|---|---|")
    for kind, blocks, samples in CASES:
        runs = []
        for seed in range(given.seeds):
            surface = Surface(kind=kind, blocks=blocks, samples=samples, seed=seed)
            runs.append(compare(surface, seed, given.trainings))
        for name in runs[0]:
            bias, volume, again, then = np.mean([run[name] for run in runs], axis=0)
            print(
                f"| {kind} | {blocks} | {samples} | {name} | {100 * bias:+.1f} | {volume:.3f} | "
                f"{again:.0f} | {100 * then:+.2f} |"
            )


if __name__ == "__main__":
    main()
