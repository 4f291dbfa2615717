"""Smoke test: a trial on two samples, so that what would fail in every trial fails before any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from autoprune.compress.configuration import make_plan
from autoprune.compress.domain import Domain
from autoprune.compress.effort import EFFORT, Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.compress.space import setting_of
from autoprune.compress.surgery.apply import Manner, compress
from autoprune.errors import AutopruneError, CompressionError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.inputs import present
from autoprune.networks.place import MODEL
from autoprune.networks.shape import NetworkShape
from autoprune.trial.training import logits
from autoprune.workload.census.count import count


def smoke_test(
    network: nn.Module,
    adapter: ModelAdapter,
    space: Mapping[Parameter, Domain],
    effort: Effort,
    manner: Manner,
) -> NetworkShape:
    """Run the network, a neutral copy of it, and the smallest one of the space; returns its shape.

    Args:
        network: untrained; stays as it is.
        adapter: of its family.
        space: the domains of `SearchSpace.parameters`.
        effort: the study's.
        manner: the study's, with one or two samples of the data set.

    Raises CompressionError or CountingError with what does not work.
    """
    samples = manner.samples
    assert samples is not None
    shape = adapter.shape(network)
    network.eval()
    neutral = compress(network, make_plan({}, shape, effort), adapter, manner)
    smallest = make_plan(_smallest(space), shape, replace(effort, epochs=1))
    with torch.inference_mode():
        expected = _attempt("the network itself", network, samples)
        if not torch.equal(_attempt("a copy of it", neutral, samples), expected):
            raise CompressionError(
                f"{type(network).__name__}: a neutral plan changes what the network computes"
            )
        searched = space.get(Parameter(MODEL, "time_steps"))
        for steps in searched.all if searched is not None else ():
            adapter.set_time_steps(neutral, int(steps))
            present(neutral, samples)
        model = compress(network, smallest, adapter, manner)
        _attempt(f"its smallest form ({smallest.short(shape)})", model, samples)
    count(network, adapter, samples[:1])
    return shape


def _smallest(space: Mapping[Parameter, Domain]) -> dict[Parameter, Value]:
    """The harshest that the space offers of every method without removing a branch."""
    found: dict[Parameter, Value] = {}
    for parameter, domain in space.items():
        setting = setting_of(parameter)
        values = setting.by_harshness(domain.all)
        if values and setting not in EFFORT:
            found[parameter] = values[-1]
    return found


def _attempt(what: str, model: nn.Module, samples: Tensor) -> Tensor:
    try:
        return logits(model, samples)
    except AutopruneError:
        raise
    except Exception as error:
        raise CompressionError(
            f"{what} does not run on samples of {list(samples.shape[1:])}: "
            f"{type(error).__name__}: {error}"
        ) from error
