"""Branches compressed alone: what a greedy search asks before it begins, and what it does then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.registry import settings_at
from autoprune.compress.setting import Value
from autoprune.compress.space import SearchSpace
from autoprune.networks.shape import NetworkShape

K = TypeVar("K")
V = TypeVar("V")


def greedy(
    start: Mapping[K, V], steps: Iterable[tuple[float, float, Mapping[K, V]]]
) -> Iterator[dict[K, V]]:
    """One step upon the other, first what loses least accuracy per energy saved.

    A step is what it loses, what it saves, and what it changes.
    """
    point = dict(start)
    for _, _, change in sorted(steps, key=lambda step: step[0] / max(step[1], 1e-9)):
        point |= change
        yield dict(point)


def probes(space: SearchSpace, shape: NetworkShape, effort: Effort) -> list[dict[Parameter, Value]]:
    """Two configurations per branch of which the space searches something, nothing else changed.

    Gentle: the first method that the space offers for the branch, in the middle of what is
    offered. Harsh: the most of every method together that does not remove the branch.
    """
    domains, found = space.parameters(shape), []
    for place, _ in shape.branches():
        offered = {
            parameter: values
            for setting in settings_at("branch")
            if (parameter := Parameter(place, setting.name)) in domains
            and (values := setting.by_harshness(domains[parameter].all))
        }
        gentle = {p: values[(len(values) - 1) // 2] for p, values in [*offered.items()][:1]}
        harsh = {parameter: values[-1] for parameter, values in offered.items()}
        found += [gentle, harsh] if offered else []
    return [space.complete(point, shape, effort) for point in found]
