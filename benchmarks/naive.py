"""The script that one would write today, and how soon autoprune has what that has at its end.

The script opens an Optuna study of accuracy and energy with the sampler that Optuna takes when it
is given none, TPE, lets it suggest sparsity and rank of every branch, neurons and the number of
time steps, and trains what is suggested, whatever it is. autoprune begins with the network
untouched and the uniform sweep, asks `block_response`, and trains no plan twice. What counts is the
true hypervolume of all that was trained, on the made-up networks of `benchmarks/depth.py`, or on
`digits`, the table of trained plans of `benchmarks/search.py`, where autoprune begins with the
baselines as well; a training takes both the same time, `--seconds`, and what asking takes of the
processor is added.

    python benchmarks/naive.py [--seeds 5] [--trainings 100] [--seconds 7.2] [--kinds cliffs digits]
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import optuna
from depth import CASES
from made_up import Network, Params
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from search import MACHINES, OBJECTIVES, table
from surfaces import KINDS, Array, Surface

from autoprune.search.block_response import Prior
from autoprune.search.samplers import Samplers, to_configuration, to_params


class Searched(Protocol):
    """What is searched: its parameters, where autoprune begins, and what trainings give."""

    distributions: dict[str, BaseDistribution]
    metrics: Sequence[str]
    first: list[Params]

    @property
    def prior(self) -> Prior:
        """What autoprune tells block_response."""

    def seen(self, params: Params, rng: np.random.Generator) -> Array:
        """What a training gives, an objective each."""

    def share(self, trained: Sequence[Params]) -> float:
        """True hypervolume of what was trained, as a share of the best, mean over machines."""


class Digits:
    """The table of trained plans of a network for digits."""

    def __init__(self) -> None:
        self._known = table()
        self.distributions, self.metrics = self._known.distributions, OBJECTIVES
        points = self._known.first("baseline", "uniform")
        plans = {self._known.hash(point): point for point in reversed(points)}
        self.first = [to_params(point, self._known.domains) for point in reversed(plans.values())]
        self.prior = self._known.prior()

    def _plan(self, params: Mapping[str, object]) -> str:
        return self._known.hash(to_configuration(params, self._known.domains))

    def seen(self, params: Params, rng: np.random.Generator) -> Array:
        """What its training gave."""
        return np.array(self._known.values(self._plan(params)))

    def share(self, trained: Sequence[Params]) -> float:
        """Hypervolume of some plans, as a share of the table's, mean over machines."""
        plans = [self._plan(params) for params in trained]
        shares = [self._known.volume(plans, m) / self._known.best[m] for m in MACHINES]
        return float(np.mean(shares))


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What a search has come to: share of the best hypervolume, by trainings and seconds."""

    share: float
    trainings: int
    seconds: float


class Search:
    """A study of a network, and what was trained for it.

    Args:
        network: what is searched.
        seed: of what is seen, and of autoprune's sampler.
        seconds: that a training takes.

    Attributes:
        trained: plans, in their order. seen: what their trainings gave.
    """

    def __init__(self, network: Searched, seed: int, seconds: float) -> None:
        self._network, self._seconds, self._asking = network, seconds, 0.0
        self._samplers = Samplers(seed, network.prior)
        self._rng = np.random.default_rng([seed, 0])
        directions = ["maximize", *["minimize"] * (len(network.metrics) - 1)]
        self._study = optuna.create_study(directions=directions)
        self.trained: list[Params] = []
        self.seen: list[Array] = []

    def train(self, sampler: BaseSampler, given: Params | None = None) -> None:
        """Train what a sampler proposes, or what is given."""
        self._study.sampler = sampler
        if given is not None:
            self._study.enqueue_trial(given)
        begin = time.process_time()
        trial = self._study.ask(self._network.distributions)
        self._asking += time.process_time() - begin
        seen = self._network.seen(trial.params, self._rng)
        self._study.tell(trial, seen.tolist())
        self.trained.append(dict(trial.params))
        self.seen.append(seen)

    def go_on(self) -> None:
        """Train what autoprune does: the next plan of its start, then what its sampler proposes."""
        number = len(self.trained)
        if number < len(self._network.first):
            self.train(RandomSampler(seed=0), self._network.first[number])
        else:
            self.train(self._samplers.of("block_response", number))

    @property
    def reached(self) -> Reached:
        """So far."""
        count = len(self.trained)
        return Reached(
            share=self._network.share(self.trained),
            trainings=count,
            seconds=count * self._seconds + self._asking,
        )


def script(network: Searched, seed: int, trainings: int, seconds: float) -> Reached:
    """What the script has after so many trainings."""
    search, sampler = Search(network, seed, seconds), TPESampler(seed=seed)
    for _ in range(trainings):
        search.train(sampler)
    return search.reached


def autoprune(
    network: Searched, seed: int, trainings: int, seconds: float, share: float
) -> Reached:
    """When autoprune has that share; what it has after so many trainings where that is less."""
    search = Search(network, seed, seconds)
    for _ in range(trainings):
        search.go_on()
        if (reached := search.reached).share >= share:
            break
    return reached


def main() -> None:
    """Print a row per network and seed, and the median of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trainings", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=7.2)
    parser.add_argument("--kinds", nargs="+", choices=[*KINDS, "digits"], default=[*KINDS])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for kind in given.kinds:
        ratios = []
        for name, network, seed in _networks(kind, given.seeds):
            naive = script(network, seed, given.trainings, given.seconds)
            if not naive.share:
                print(f"{name}, seed {seed}: the script finds nothing that counts")
                continue
            own = autoprune(network, seed, given.trainings, given.seconds, naive.share)
            never = " not reached" if own.share < naive.share else ""
            ratios.append(naive.seconds / own.seconds if not never else 0.0)
            print(
                f"{name}, seed {seed}: the script {100 * naive.share:.1f} % in "
                f"{naive.seconds:.0f} s; autoprune {100 * own.share:.1f} % with {own.trainings} "
                f"trainings in {own.seconds:.0f} s{never}",
                flush=True,
            )
        if ratios:
            low, middle, high = (float(np.quantile(ratios, q)) for q in (0, 0.5, 1))
            times = f"{middle:.1f} times sooner ({low:.1f} to {high:.1f})"
            print(f"{name}: {times}, of {len(ratios)} seeds", flush=True)


def _networks(kind: str, seeds: int) -> Iterator[tuple[str, Searched, int]]:
    """Name, what is searched, and seed: a made-up network a seed, or always the table."""
    if kind == "digits":
        yield from (("digits", Digits(), seed) for seed in range(seeds))
        return
    [(blocks, machines, samples)] = [case[1:] for case in CASES if case[0] == kind]
    for seed in range(seeds):
        surface = Surface(kind=kind, blocks=blocks, machines=machines, samples=samples, seed=seed)
        yield f"{kind} {blocks}", Network(surface), seed


if __name__ == "__main__":
    main()
