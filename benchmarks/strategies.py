"""Ways to search a made-up network: what comes after the uniform sweep, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import optuna
from made_up import Network, Params
from optuna.samplers import BaseSampler
from probes import greedy

from autoprune.networks.place import Place
from autoprune.search.samplers import Samplers

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
    """BoTorch's, by Optuna's integration; told where fronts end, a process an objective."""
    from botorch.acquisition.multi_objective.logei import (
        qLogNoisyExpectedHypervolumeImprovement as Gain,
    )
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import ModelListGP, SingleTaskGP
    from botorch.optim import optimize_acqf
    from botorch.utils.transforms import normalize, unnormalize
    from gpytorch.mlls import SumMarginalLogLikelihood
    from optuna_integration import BoTorchSampler
    from torch import Tensor, tensor

    # Larger is better in what BoTorch is told.
    ends = [network.prior.reference[0], *(-end for end in network.prior.reference[1:])]

    def candidates(
        x: Tensor, y: Tensor, constraints: Tensor | None, bounds: Tensor, pending: Tensor | None
    ) -> Tensor:
        unit = normalize(x, bounds)
        model = ModelListGP(*(SingleTaskGP(unit, y[:, [j]]) for j in range(y.shape[1])))
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        gain = Gain(model, ref_point=tensor(ends).double(), X_baseline=unit, prune_baseline=True)
        box = normalize(bounds, bounds)
        found, _ = optimize_acqf(gain, box, q=1, num_restarts=4, raw_samples=128)
        return unnormalize(found.detach(), bounds)

    sampler = BoTorchSampler(candidates_func=candidates, n_startup_trials=1, seed=seed)
    while True:
        yield sampler


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A branch changed alone: what it loses of accuracy, and what of energy."""

    params: Params
    loss: float
    saved: float


def _probes(network: Network) -> Iterator[tuple[Params, Place, Params]]:
    """Every branch removed and thinned alone: all parameters, where, and what differs.

    Beyond 4 blocks two probes of every branch have to do, else nothing would be left to train.
    """
    changes = (("dsp", 0.0), ("l1p", 0.8), ("dsp", 0.5), ("l1p", 0.95))
    for setting, value in changes if network.surface.blocks <= 4 else changes[:2]:
        for place, _ in network.shape.branches():
            change = {f"{place}.{setting}": value}
            yield network.first[0] | change, place, change


def _path(network: Network, seed: int, *, solve: bool) -> Iterator[Params]:
    rng = np.random.default_rng([seed, 1])
    base = network.seen(network.first[0], rng)
    found: dict[Place, list[Probe]] = {}
    for params, place, change in _probes(network):
        yield params
        seen = network.seen(params, rng)
        saved = float(np.mean(1 - seen[1:] / base[1:]))
        probe = Probe(params=change, loss=max(float(base[0] - seen[0]), 0.0), saved=saved)
        found.setdefault(place, []).append(probe)
    if not solve:
        probes = [probe for of_branch in found.values() for probe in of_branch]
        yield from greedy(network.first[0], [(p.loss, p.saved, p.params) for p in probes])
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


def _probed(network: Network, seed: int) -> Iterator[BaseSampler | Params]:
    """What autoprune did: every branch removed, and thinned, alone before the sampler is asked."""
    branches = 2 * network.surface.blocks
    for params, _, _ in islice(_probes(network), 2 * branches):
        yield params
    yield from _named("block_response")(network, seed)


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
    "block_response, probed": _probed,
}
