"""Branches compressed alone: what a greedy search asks before it begins."""

from __future__ import annotations

from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.registry import settings_at
from autoprune.compress.setting import Value
from autoprune.compress.space import SearchSpace
from autoprune.networks.shape import NetworkShape


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
