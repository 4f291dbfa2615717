"""Samplers by name, and the translation between configurations and Optuna's parameters."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from typing import final

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler

from autoprune.compress.configuration import Configuration
from autoprune.compress.domain import Domain
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.search.block_response import BlockResponseSampler, Prior
from autoprune.search.spec import OPTUNA, OWN, Sampler


@final
class Samplers:
    """The samplers of one search; what they propose depends on seed, trial number and trials.

    Args:
        seed: of the study. prior: what block_response knows of it.
    """

    def __init__(self, seed: int, prior: Prior) -> None:
        self._seed = seed
        # The first trials of a search are its start: it needs no random ones.
        self._block_response = BlockResponseSampler(prior, seed=seed, startup_trials=2)

    def of(self, name: Sampler, number: int) -> BaseSampler:
        """The sampler that proposes trial `number`."""
        if name == OWN:
            return self._block_response
        named = OPTUNA[name]
        make: Callable[..., BaseSampler] = getattr(optuna.samplers, named.class_name)
        seed = self._seed if named.one_sequence else derive_seed(self._seed, f"ask {number}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return make(seed=seed, **named.settings)


def derive_seed(seed: int, key: str) -> int:
    """A seed of 31 bits for whatever is called `key` in a study with that seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{key}".encode()).digest()[:4], "big") >> 1


def distributions(domains: Mapping[Parameter, Domain]) -> dict[str, BaseDistribution]:
    """Optuna's distributions.

    Listed numbers are searched by their place in the list, so that their order is known and their
    spacing is not mistaken for a scale; words have no order.
    """
    return {str(parameter): _distribution(domain) for parameter, domain in domains.items()}


def _distribution(domain: Domain) -> BaseDistribution:
    if not domain.numeric:
        return CategoricalDistribution([str(value) for value in domain.all])
    if domain.values is not None:
        return IntDistribution(0, len(domain.all) - 1)
    first, last = float(domain.all[0]), float(domain.all[-1])
    return FloatDistribution(first, last, step=float(domain.step or 1))


def to_params(
    configuration: Configuration, domains: Mapping[Parameter, Domain]
) -> dict[str, Value]:
    """A configuration as Optuna stores it."""
    return {
        str(parameter): domains[parameter].all.index(value)
        if domains[parameter].numeric and domains[parameter].values is not None
        else value
        for parameter, value in configuration.items()
    }


def to_configuration(
    params: Mapping[str, Value], domains: Mapping[Parameter, Domain]
) -> dict[Parameter, Value]:
    """What Optuna's parameters stand for, every value exactly one of its domain's."""
    found: dict[Parameter, Value] = {}
    for parameter, domain in domains.items():
        value = params[str(parameter)]
        if domain.numeric and domain.values is not None:
            value = domain.all[int(value)]
        elif domain.numeric:
            value = min(domain.all, key=lambda v: abs(float(v) - float(value)))
        found[parameter] = value
    return found
