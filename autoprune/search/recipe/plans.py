"""The plans on which learning rates are chosen: taken from a space, whatever its methods are."""

from __future__ import annotations

from autoprune.compress.configuration import make_plan
from autoprune.compress.effort import Effort
from autoprune.compress.method import Stage
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.compress.space import SearchSpace, setting_of
from autoprune.compress.uniform import listed_alone
from autoprune.networks.shape import NetworkShape

_THINNING: tuple[Stage, ...] = ("dimensions", "pattern", "zeros")
"""Stages of methods that remove weights, which fine-tuning has to make up for."""

Configuration = dict[Parameter, Value]


def thinned(space: SearchSpace, shape: NetworkShape, effort: Effort) -> list[Configuration]:
    """The medium and the harsh one of the uniform sweep, by the weights that they keep.

    Only those count that do nothing but remove weights; none where the sweep has none such.
    """
    found = []
    for configuration in listed_alone(space, shape, effort):
        plan = make_plan(configuration, shape, effort)
        stages = {method.stage for method, _ in plan.stages()}
        if plan.effort == effort and plan.parts and stages <= set(_THINNING):
            found.append((plan.kept_weights(shape), configuration))
    found.sort(key=lambda one: one[0], reverse=True)
    last = len(found) - 1
    places = sorted({last // 2, (3 * last + 2) // 4}) if found else []
    return [found[place][1] for place in places]


def learning(
    configuration: Configuration, space: SearchSpace, shape: NetworkShape
) -> Configuration:
    """The configuration with neurons that learn all that the space offers, as finely as it does."""
    found = dict(configuration)
    for parameter, domain in space.parameters(shape).items():
        setting = setting_of(parameter)
        if parameter.place.kind == "neuron" and setting.words:
            found[parameter] = [setting.neutral, *setting.by_harshness(domain.all)][-1]
    return found
