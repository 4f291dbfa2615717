"""Time networks one after the other, again and again, so that none has the quiet moments."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.deploy.counters import Counter
from autoprune.runs.measured import Timing
from autoprune.trial.key import TrialKey

WARM_UP = 2
"""Passes that are not counted."""

_ENERGY_SECONDS = 1.0
"""How long a network runs between two readings: counters advance in steps of a millisecond."""


def time_networks(  # noqa: PLR0913 - what is timed, and how
    networks: Mapping[TrialKey, nn.Module],
    inputs: Callable[[nn.Module, int], Tensor],
    *,
    batches: tuple[int, ...],
    rounds: int,
    counter: Counter | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Timing]:
    """Time every network at every batch size.

    Args:
        networks: by key, in evaluation mode, on their device.
        inputs: gives so many samples as a network is called, on its device.
        batches: samples at a time.
        rounds: how often each network has its turn.
        counter: of energy; None where the machine has none.
        progress: hears finished rounds and all of them.
    """
    found = []
    for place, batch in enumerate(batches):
        shown = {key: inputs(network, batch) for key, network in networks.items()}
        for key, network in networks.items():
            for _ in range(WARM_UP):
                _seconds(network, shown[key])
        taken: dict[TrialKey, list[float]] = {key: [] for key in networks}
        for turn in range(rounds):
            for key, network in networks.items():
                taken[key].append(_seconds(network, shown[key]))
            progress(place * rounds + turn + 1, len(batches) * rounds)
        for key, network in networks.items():
            low, middle, high = (
                1e6 * value / batch
                for value in statistics.quantiles(taken[key], n=4, method="inclusive")
            )
            joules = None if counter is None else _joules(network, shown[key], counter)
            found.append(
                Timing(
                    key=key,
                    batch=batch,
                    latency_us=middle,
                    low_us=low,
                    high_us=high,
                    energy_uj=None if joules is None else 1e6 * joules / batch,
                )
            )
    return found


def _seconds(network: nn.Module, x: Tensor) -> float:
    """Time of one pass from the reset state."""
    functional.reset_net(network)
    _wait(x)
    start = time.perf_counter()
    with torch.inference_mode():
        network(x)
    _wait(x)
    return time.perf_counter() - start


def _joules(network: nn.Module, x: Tensor, counter: Counter) -> float:
    """Energy of one pass: of as many as fit the time between two readings."""
    passes, start, before = 0, time.perf_counter(), counter.read()
    while time.perf_counter() - start < _ENERGY_SECONDS:
        _seconds(network, x)
        passes += 1
    return counter.between(before, counter.read()) / passes


def _wait(x: Tensor) -> None:
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
