"""Configuration: a value per parameter, as a sampler proposes it; the canonical plan of one."""

from __future__ import annotations

from collections.abc import Mapping

from autoprune.compress.effort import EFFORT, Effort
from autoprune.compress.method import Given, Left, missing
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.compress.registry import in_stages, settings_at
from autoprune.compress.setting import Value
from autoprune.errors import InputError
from autoprune.networks.place import HEAD, MODEL, STEM, Place
from autoprune.networks.shape import NetworkShape

Configuration = Mapping[Parameter, Value]
"""Parameter to value."""


def parse_configuration(values: Mapping[str, Value]) -> dict[Parameter, Value]:
    """The configuration of values by name, as files hold them; InputError for an unknown name."""
    return {Parameter.parse(name): value for name, value in values.items()}


def make_plan(configuration: Configuration, shape: NetworkShape, effort: Effort) -> Plan:
    """The canonical plan of a configuration.

    Args:
        configuration: what is chosen. Every method says what its settings are, see
            `autoprune.compress.registry`; ``time_steps``, ``learning_rate``, ``epochs``: see
            `Effort`. What is left out is neutral, or the effort's.
        shape: the network.
        effort: the study's effort.

    Raises InputError for a parameter that the network does not have, a value out of range, and for
    zeros asked of the same weights in two scopes.
    """
    values = {(p.place, p.setting): value for p, value in configuration.items()}
    chosen = {s.name: values.pop((MODEL, s.name), getattr(effort, s.name)) for s in EFFORT}
    epochs = int(chosen["epochs"])
    own = Effort(
        time_steps=int(chosen["time_steps"]),
        learning_rate=float(chosen["learning_rate"]) if epochs else 0.0,
        epochs=epochs,
    )
    parts, left, read = [], Left(shape), 0
    for method in in_stages():
        given = Given(values, method.settings)
        part = method.part(given, left, own)
        read += len(given.read)
        if part.amounts:
            parts.append(part)
            left = method.left(part, left)
    if read < len(values):
        _check_known(configuration, shape)
    parts.sort(key=lambda part: part.method)
    return Plan(blocks=len(shape.blocks), parts=tuple(parts), effort=own)


def _check_known(configuration: Configuration, shape: NetworkShape) -> None:
    """InputError for a parameter that the network does not have, unless its value is neutral."""
    known = set(parameters(shape))
    branches = dict(shape.branches())
    for parameter, value in configuration.items():
        if parameter in known:
            continue
        branch = branches.get(parameter.place)
        for setting in settings_at(parameter.place.kind) if branch else ():
            if setting.name == parameter.setting:
                assert branch is not None
                setting.check(value, str(parameter))
                if value != setting.neutral:
                    raise InputError(str(parameter), f"given {value}; {missing(setting, branch)}")
                break
        else:
            name = str(parameter)
            candidates = map(str, known)
            given = f"unknown parameter {name!r}"
            raise InputError("plan", given, name=name, candidates=candidates)


def parameters(shape: NetworkShape) -> list[Parameter]:
    """Every parameter that a configuration for this network may hold."""
    places = [MODEL, *(p for p, there in ((STEM, shape.stem), (HEAD, shape.head)) if there)]
    for index in range(len(shape.blocks)):
        places += [Place(index), Place(index, "neuron")]
    found = [Parameter(place, s.name) for place in places for s in settings_at(place.kind)]
    for place, branch in shape.branches():
        settings = settings_at("branch")
        found += [Parameter(place, s.name) for s in settings if not missing(s, branch)]
    return found
