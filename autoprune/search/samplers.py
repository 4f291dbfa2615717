"""Optuna's samplers by name, and the translation between points and Optuna's parameters."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler

from autoprune.point import Point, Value
from autoprune.spec.domain import Domain
from autoprune.spec.study import Sampler


def make_sampler(name: Sampler, seed: int) -> BaseSampler:
    """A fresh sampler.

    TPE samples parameters independently, which did better than its multivariate form with several
    objectives; NSGA-II's population of 20 suits runs of some hundred trials.
    """
    samplers = optuna.samplers
    match name:
        case "random":
            return samplers.RandomSampler(seed=seed)
        case "tpe":
            return samplers.TPESampler(seed=seed)
        case "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=20)
        case "gp":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return samplers.GPSampler(seed=seed, deterministic_objective=False)


def derive_seed(seed: int, key: str) -> int:
    """A seed of 31 bits for whatever is called `key` in a study with that seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:4], "big") >> 1


def distributions(domains: Mapping[str, Domain]) -> dict[str, BaseDistribution]:
    """Optuna's distributions.

    Listed numbers are searched by their place in the list, so that their order is known and their
    spacing is not mistaken for a scale; words have no order.
    """
    return {name: _distribution(domain) for name, domain in domains.items()}


def _distribution(domain: Domain) -> BaseDistribution:
    if not domain.numeric:
        return CategoricalDistribution([str(value) for value in domain.all])
    if domain.values is not None:
        return IntDistribution(0, len(domain.all) - 1)
    first, last = float(domain.all[0]), float(domain.all[-1])
    return FloatDistribution(first, last, step=float(domain.step or 1))


def to_params(point: Point, domains: Mapping[str, Domain]) -> dict[str, Value]:
    """A point as Optuna stores it."""
    return {
        name: domains[name].all.index(value)
        if domains[name].numeric and domains[name].values is not None
        else value
        for name, value in point.items()
    }


def to_point(params: Mapping[str, Value], domains: Mapping[str, Domain]) -> dict[str, Value]:
    """The point that Optuna's parameters stand for, every value exactly one of its domain's."""
    point: dict[str, Value] = {}
    for name, domain in domains.items():
        value = params[name]
        if domain.numeric and domain.values is not None:
            value = domain.all[int(value)]
        elif domain.numeric:
            value = min(domain.all, key=lambda v: abs(float(v) - float(value)))
        point[name] = value
    return point
