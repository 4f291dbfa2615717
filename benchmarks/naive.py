"""The script that one would write today, and how soon autoprune has what that has at its end.

The script opens an Optuna study of accuracy and energy with the sampler that Optuna takes when it
is given none, TPE, lets it suggest sparsity and rank of every branch, neurons and the number of
time steps, and trains what is suggested, whatever it is. autoprune begins with the network
untouched and the uniform sweep, asks `block_response`, and trains no plan twice. What counts is the
true hypervolume of all that was trained, on the made-up networks of `benchmarks/depth.py`; a
training takes both the same time, `--seconds`, and what asking takes of the processor is added.

    python benchmarks/naive.py [--seeds 5] [--trainings 100] [--seconds 7.2] [--kinds cliffs]
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass

import numpy as np
import optuna
from depth import CASES
from made_up import Network, Params
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from surfaces import KINDS, Surface

from autoprune.search.samplers import Samplers


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What a search has come to: share of the best hypervolume, by trainings and seconds."""

    share: float
    trainings: int
    seconds: float


class Search:
    """A study of a network, and what was trained for it.

    Args:
        network: of which kind. seed: of what is seen. seconds: that a training takes.
    """

    def __init__(self, network: Network, seed: int, seconds: float) -> None:
        self._network, self._seconds, self._asking = network, seconds, 0.0
        self._rng = np.random.default_rng([seed, 0])
        directions = ["maximize", *["minimize"] * network.surface.machines]
        self._study = optuna.create_study(directions=directions)
        self._trained: list[Params] = []

    def train(self, sampler: BaseSampler, given: Params | None = None) -> None:
        """Train what a sampler proposes, or what is given."""
        self._study.sampler = sampler
        if given is not None:
            self._study.enqueue_trial(given)
        begin = time.process_time()
        trial = self._study.ask(self._network.distributions)
        self._asking += time.process_time() - begin
        seen = self._network.surface.seen(self._network.settings(trial.params), self._rng)[0]
        self._study.tell(trial, seen.tolist())
        self._trained.append(dict(trial.params))

    @property
    def reached(self) -> Reached:
        """So far."""
        count = len(self._trained)
        return Reached(
            share=self._network.share(self._trained),
            trainings=count,
            seconds=count * self._seconds + self._asking,
        )


def script(network: Network, seed: int, trainings: int, seconds: float) -> Reached:
    """What the script has after so many trainings."""
    search, sampler = Search(network, seed, seconds), TPESampler(seed=seed)
    for _ in range(trainings):
        search.train(sampler)
    return search.reached


def autoprune(network: Network, seed: int, trainings: int, seconds: float, share: float) -> Reached:
    """When autoprune has that share; what it has after so many trainings where that is less."""
    search, samplers = Search(network, seed, seconds), Samplers(seed, network.prior)
    for number in range(trainings):
        if number < len(network.first):
            search.train(RandomSampler(seed=0), network.first[number])
        else:
            search.train(samplers.of("block_response", number))
        if (reached := search.reached).share >= share:
            break
    return reached


def main() -> None:
    """Print a row per network and seed, and the median of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trainings", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=7.2)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for kind, blocks, machines, samples in CASES:
        if kind not in given.kinds:
            continue
        ratios = []
        for seed in range(given.seeds):
            surface = Surface(
                kind=kind, blocks=blocks, machines=machines, samples=samples, seed=seed
            )
            network = Network(surface)
            naive = script(network, seed, given.trainings, given.seconds)
            if not naive.share:
                print(f"{kind} {blocks}, seed {seed}: the script finds nothing that counts")
                continue
            own = autoprune(network, seed, given.trainings, given.seconds, naive.share)
            never = " not reached" if own.share < naive.share else ""
            ratios.append(naive.seconds / own.seconds if not never else 0.0)
            print(
                f"{kind} {blocks}, seed {seed}: the script {100 * naive.share:.1f} % in "
                f"{naive.seconds:.0f} s; autoprune {100 * own.share:.1f} % with {own.trainings} "
                f"trainings in {own.seconds:.0f} s{never}",
                flush=True,
            )
        if ratios:
            low, middle, high = (float(np.quantile(ratios, q)) for q in (0, 0.5, 1))
            times = f"{middle:.1f} times sooner ({low:.1f} to {high:.1f})"
            print(f"{kind} {blocks}: {times}, of {len(ratios)} seeds", flush=True)


if __name__ == "__main__":
    main()
