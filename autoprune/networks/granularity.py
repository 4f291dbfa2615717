"""Granularity: how many values of something, such as the threshold, the neurons of a layer have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

Granularity = Literal["layer", "channel", "neuron"]
"""One value per layer, per channel, or per neuron."""

Differing = Literal["threshold", "decay"]
"""What may differ between the neurons of a layer."""

DIFFERING: tuple[Differing, ...] = get_args(Differing)

GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)
"""The coarsest first."""


def finest_of(found: Iterable[tuple[Differing, Granularity]]) -> dict[Differing, Granularity]:
    """The finest granularity of everything that differs."""
    every = sorted(found, key=lambda one: GRANULARITIES.index(one[1]))
    return dict(sorted(dict(every).items()))


def is_finer(one: Granularity, other: Granularity) -> bool:
    """Whether a layer has more values by `one` than by `other`."""
    return GRANULARITIES.index(one) > GRANULARITIES.index(other)
