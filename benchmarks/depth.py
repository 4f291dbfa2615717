"""Searches on made-up networks of 2 to 24 blocks: how much of the best hypervolume each finds.

The networks are `benchmarks/surfaces.py`'s, of which the truth is known: a trial takes
microseconds, and what counts is the true hypervolume of the plans that were trained, whatever was
seen of them. All searches begin with the network untouched and the uniform sweep, which count as
trainings, and differ in what comes then; greedy and knapsack train probes of every branch.
Every seed draws another network.

    python benchmarks/depth.py [--seeds 10] [--kinds development] [--only block_response tpe]
"""

from __future__ import annotations

import argparse
import csv
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from surfaces import KINDS, LEARNS, Array, Settings, Surface

from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.compress.space import load_space
from autoprune.compress.uniform import uniform_sweep
from autoprune.networks.place import Place
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape
from autoprune.search.block_response import Prior
from autoprune.search.prior import network_prior
from autoprune.search.samplers import Samplers, derive_seed, distributions, to_params

HERE = Path(__file__).parent
METRICS = ("accuracy", "energy_uj@loihi1", "energy_uj@systolic_14x12")
TRAININGS = (40, 80, 160)
GIVE_UP = 200

CASES = (
    ("additive", 2, 1, 10_000),
    ("multiplicative", 8, 1, 10_000),
    ("bottleneck", 8, 1, 10_000),
    ("redundant", 12, 1, 360),
    ("correlated", 12, 1, 10_000),
    ("cliffs", 4, 1, 360),
    ("tiles", 4, 2, 10_000),
    ("floor", 24, 2, 10_000),
)
"""Kind, blocks, machines and samples of validation."""

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
        self.space = load_space(str(HERE / "search_space_surfaces.toml"))
        self.domains = self.space.parameters(self.shape)
        self.distributions: dict[str, BaseDistribution] = distributions(self.domains)
        self.metrics = METRICS[: 1 + surface.machines]
        self.neutral = self.space.complete({}, self.shape, self.effort)
        sweep = uniform_sweep(self.space, self.shape, self.effort)
        self.first = [self.params(point) for point in (self.neutral, *sweep)]

    def params(self, configuration: Mapping[Parameter, Value]) -> Params:
        """A configuration as Optuna has it."""
        return to_params(configuration, self.domains)

    def settings(self, params: Params) -> Settings:
        """Optuna's parameters as the surface takes them."""
        blocks = range(self.surface.blocks)
        branches = [[f"blocks.{b}.{name}" for name in ("attention", "mlp")] for b in blocks]
        learns = [LEARNS.index(params[f"blocks.{b}.neuron.threshold"]) for b in blocks]
        return Settings(
            sparsity=np.array([[[params[f"{n}.l1p"] for n in names] for names in branches]]),
            kept=np.array([[[params[f"{n}.dsp"] for n in names] for names in branches]]),
            learns=np.array([learns], dtype=float),
            steps=np.array([2.0 + params["time_steps"]]),
        )

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
        rows = [self.settings(params) for params in trained]
        whole = Settings(
            **{
                name: np.concatenate([getattr(row, name) for row in rows])
                for name in ("sparsity", "kept", "learns", "steps")
            }
        )
        pairs = zip(self.surface.volumes(whole), self.surface.best, strict=True)
        return float(np.mean([found / best for found, best in pairs]))


Asked = Callable[[Network, int], Iterator[BaseSampler | Params]]
"""What comes after the start, one by one: a sampler that is asked, or a plan."""


def _named(name: str) -> Asked:
    def ask(network: Network, seed: int) -> Iterator[BaseSampler]:
        samplers = Samplers(seed, network.prior)
        number = len(network.first)
        while True:
            yield samplers.of(name, number)
            number += 1

    return ask


def _multivariate(network: Network, seed: int) -> Iterator[BaseSampler]:
    sampler = optuna.samplers.TPESampler(multivariate=True, seed=seed)
    while True:
        yield sampler


def _qlognehvi(network: Network, seed: int) -> Iterator[BaseSampler]:
    """BoTorch's, by Optuna's integration; its candidates are its default for several objectives."""
    from optuna_integration import BoTorchSampler
    from optuna_integration.botorch import qnehvi_candidates_func

    sampler = BoTorchSampler(candidates_func=qnehvi_candidates_func, n_startup_trials=1, seed=seed)
    while True:
        yield sampler


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A branch changed alone: what it loses of accuracy, and what of energy."""

    params: Params
    loss: float
    saved: float


def _probes(network: Network) -> Iterator[tuple[Params, Place, Params]]:
    """Every branch removed, thinned and halved alone: all parameters, where, and what differs."""
    for setting, value in (("dsp", 0.0), ("l1p", 0.8), ("dsp", 0.5), ("l1p", 0.95)):
        for place, _ in network.shape.branches():
            change = {f"{place}.{setting}": value}
            yield network.first[0] | change, place, change


def _path(network: Network, seed: int, *, solve: bool) -> Iterator[Params]:
    rng = np.random.default_rng([seed, 1])
    base = network.surface.seen(network.settings(network.first[0]), rng)[0]
    found: dict[Place, list[Probe]] = {}
    for params, place, change in _probes(network):
        yield params
        seen = network.surface.seen(network.settings(params), rng)[0]
        saved = float(np.mean(1 - seen[1:] / base[1:]))
        probe = Probe(params=change, loss=max(float(base[0] - seen[0]), 0.0), saved=saved)
        found.setdefault(place, []).append(probe)
    if not solve:
        params = dict(network.first[0])
        probes = [probe for of_branch in found.values() for probe in of_branch]
        for probe in sorted(probes, key=lambda p: p.loss / max(p.saved, 1e-9)):
            params |= probe.params
            yield dict(params)
        return
    for price in np.geomspace(0.01, 10, 200):
        params = dict(network.first[0])
        for of_branch in found.values():
            best = max(of_branch, key=lambda p: price * p.saved - p.loss)
            if price * best.saved > best.loss:
                params |= best.params
        for steps in (2, 1, 0):
            yield params | {"time_steps": steps}


def _greedy(network: Network, seed: int) -> Iterator[Params]:
    """Step by step, the probe that loses least accuracy per energy saved."""
    return _path(network, seed, solve=False)


def _knapsack(network: Network, seed: int) -> Iterator[Params]:
    """For every price of accuracy in energy, the best probe of every branch, at every T."""
    return _path(network, seed, solve=True)


def _nothing(network: Network, seed: int) -> Iterator[Params]:
    return iter(())


STRATEGIES: dict[str, Asked] = {
    "uniform": _nothing,
    "greedy": _greedy,
    "knapsack": _knapsack,
    "random": _named("random"),
    "tpe": _named("tpe"),
    "tpe multivariate": _multivariate,
    "nsga2": _named("nsga2"),
    "gp": _named("gp"),
    "qlognehvi": _qlognehvi,
    "block_response": _named("block_response"),
}


def search(network: Network, name: str, seed: int, trainings: int) -> dict[int, float]:
    """Share of the best hypervolume after so many trainings; one that repeats a plan is none."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rng = np.random.default_rng([seed, 0])
    study = optuna.create_study(directions=["maximize", *["minimize"] * network.surface.machines])
    asked = iter([*network.first])
    then = STRATEGIES[name](network, derive_seed(seed, name))
    trained: dict[tuple[Any, ...], tuple[Params, Array]] = {}
    shares: dict[int, float] = {}
    for _ in range(trainings + GIVE_UP):
        source = next(asked, None) or next(then, None)
        if source is None:
            break
        study.sampler = (
            source if isinstance(source, BaseSampler) else optuna.samplers.RandomSampler(seed=0)
        )
        if not isinstance(source, BaseSampler):
            study.enqueue_trial(source)
        trial = study.ask(network.distributions)
        plan = network.identity(trial.params)
        new = plan not in trained
        if new:
            seen = network.surface.seen(network.settings(trial.params), rng)[0]
            trained[plan] = (dict(trial.params), seen)
        study.tell(trial, trained[plan][1].tolist())
        if new and len(trained) in TRAININGS:
            shares[len(trained)] = network.share([params for params, _ in trained.values()])
        if len(trained) == trainings:
            break
    last = network.share([params for params, _ in trained.values()])
    return {count: shares.get(count, last) for count in TRAININGS if count <= trainings}


def main() -> None:
    """Run all, and write a row per surface, strategy, seed and number of trainings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trainings", type=int, default=TRAININGS[-1], choices=TRAININGS)
    parser.add_argument("--kinds", nargs="+", choices=["development", *KINDS], default=list(KINDS))
    parser.add_argument("--only", nargs="+", choices=STRATEGIES, default=_installed())
    parser.add_argument("--out", type=Path, default=HERE / "depth.csv")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if "development" in arguments.kinds:
        arguments.kinds += [name for name, kind in KINDS.items() if kind.development]
    rows: list[dict[str, object]] = []
    for kind, blocks, machines, samples in CASES:
        if kind not in arguments.kinds:
            continue
        found = []
        for seed in range(arguments.seeds):
            surface = Surface(
                kind=kind, blocks=blocks, machines=machines, samples=samples, seed=seed
            )
            found += _rows(Network(surface), arguments.only, seed, arguments.trainings)
        show(pd.DataFrame(found))
        rows += found
    with arguments.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _rows(
    network: Network, names: Sequence[str], seed: int, trainings: int
) -> list[dict[str, object]]:
    """A row per strategy and number of trainings."""
    rows: list[dict[str, object]] = []
    for name in names:
        start = time.process_time()
        found = search(network, name, seed, trainings)
        head = {"surface": f"{network.surface.kind} {network.surface.blocks}", "strategy": name}
        spent = {"seed": seed, "cpu_s": round(time.process_time() - start, 2)}
        rows += [{**head, **spent, "trainings": n, "share": s} for n, s in found.items()]
    return rows


def _installed() -> list[str]:
    """The strategies whose packages are there."""
    from importlib.util import find_spec

    left_out = () if find_spec("optuna_integration") and find_spec("botorch") else ("qlognehvi",)
    return [name for name in STRATEGIES if name not in left_out]


def show(frame: pd.DataFrame) -> None:
    """Mean and standard deviation over seeds, in percent of a surface's best hypervolume."""
    print(f"\n{frame.surface[0]}: % of the best hypervolume, mean (sd) over seeds", flush=True)
    for name, own in frame.groupby("strategy", sort=False):
        shares = [100 * some.share for _, some in own.groupby("trainings")]
        cells = [f"{share.mean():6.1f} ({share.std(ddof=0):4.1f})" for share in shares]
        print(f"{name:18}", *cells, f"{own.cpu_s.mean():8.1f} s of the processor", flush=True)


if __name__ == "__main__":
    main()
