"""Find what builds a network, by name or as a function of the user's, and the adapter of one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)

from autoprune.errors import AutopruneError, InputError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.families import FAMILIES
from autoprune.plugin import call, load_named, parameters

_LARGEST, _TENSORS = 10**9, 4_000
"""Parameters, of which the largest published spiking transformers have a sixth, and tensors, as of
160 blocks."""

_SMALL, _PER_BYTE = 10**7, 100
"""Parameters that a network may have whatever the size of its file of weights, and those more for
each byte of that: what an export leaves out of a network can be that much of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A class or function that makes networks, found by its name, and what it is called with.

    Attributes:
        where: its name, for errors. make: class or function. arguments: by parameter.
        time_axis: what its networks are told of where they take time; None for nothing.
    """

    where: str
    make: Callable[..., object]
    arguments: Mapping[str, Any]
    time_axis: int | None = None

    def build(self) -> nn.Module:
        """A new network with random weights; InputError where its maker refuses."""
        given = {n: tuple(v) if isinstance(v, list) else v for n, v in self.arguments.items()}
        try:
            network = self.make(**given)
        except AutopruneError:
            raise
        except Exception as error:
            shown = ", ".join(f"{name} = {value!r}" for name, value in self.arguments.items())
            how = f" with {shown}" if shown else ""
            said = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise InputError(self.where, f"cannot be built{how}: {said}") from error
        if not isinstance(network, nn.Module):
            raise InputError(self.where, f"returned {type(network).__name__}", "a torch.nn.Module")
        if self.time_axis is not None:
            network.time_axis = self.time_axis  # type: ignore[assignment]
        return network

    def build_within(self, weights: int | None = None) -> nn.Module:
        """The same of a shipped family: its arguments fill no memory, and take no hours.

        `weights` is the size of the network's file of weights, in bytes, where it may be another's.
        Raises InputError, before the network is made, where it has more parameters than can be in
        there, or than any of ours.
        """
        most = _LARGEST if weights is None else min(_LARGEST, _SMALL + _PER_BYTE * weights)
        with torch.device("meta"), _none_too_large(self.where, most):
            self.build()
        return self.build()


@contextmanager
def _none_too_large(where: str, most: int) -> Iterator[None]:
    """While this lasts, InputError, at `where`, for a network of more than `most` parameters.

    Likewise for one with parameters that hold nothing.
    """
    parameters = tensors = 0

    def count(module: nn.Module, name: str, tensor: Tensor | None) -> None:
        nonlocal parameters, tensors
        parameters, tensors = parameters + (0 if tensor is None else tensor.numel()), tensors + 1
        if parameters > most:
            by = "" if most == _LARGEST else ", by the size of its file of weights"
            raise InputError(where, f"{parameters} parameters or more", f"at most {most}{by}")
        if tensors > _TENSORS:
            raise InputError(where, f"more than {_TENSORS} tensors", "a network that was searched")
        if isinstance(tensor, nn.Parameter) and not tensor.numel():  # of which torch only warns
            size = " x ".join(map(str, tensor.shape))
            raise InputError(where, f"a {name} of {size}", "parameters that hold something")

    hooks = [
        register_module_parameter_registration_hook(count),
        register_module_buffer_registration_hook(count),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def find_architecture(
    model: str, arguments: Mapping[str, Any], offered: Mapping[str, Any]
) -> Architecture:
    """The architecture by the name of its family or as ``module:function``.

    Args:
        model: the name.
        arguments: what the study gives, by the names of the constructor's parameters.
        offered: what data and study know, such as `num_classes`; passed on as far as the
            constructor has parameters of these names. ``time_axis`` is told to the network.

    Raises InputError for an unknown or missing argument.
    """
    make = load_named(model, "network: model") if ":" in model else FAMILIES[model].network()
    where = f"network {model}"
    taken = parameters(make, where)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in taken.values()) and ":" in model
    named = [
        name for name, p in taken.items() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    settable = [name for name in named if name not in offered and name != "spiking_neuron"]
    for name, value in arguments.items():
        if name not in settable and not open_ended:
            raise InputError(where, f"unknown argument {name!r}", name=name, candidates=settable)
        numbers = name in settable and taken[name].annotation in ("int", "float")
        if numbers and isinstance(value, bool):
            raise InputError(where, f"{name} = {str(value).lower()}", "a number")
    given = {**{k: v for k, v in offered.items() if k in named}, **arguments}
    for name in named:
        if taken[name].default is inspect.Parameter.empty and name not in given:
            raise InputError(where, f"argument {name!r} is missing")
    axis = offered.get("time_axis")
    return Architecture(where=where, make=make, arguments=given, time_axis=axis)


def build(model: str, arguments: Mapping[str, Any], offered: Mapping[str, Any]) -> nn.Module:
    """A new network of the architecture that `find_architecture` finds; raises as both do."""
    return find_architecture(model, arguments, offered).build()


def build_within(
    model: str, arguments: Mapping[str, Any], offered: Mapping[str, Any], weights: int
) -> nn.Module:
    """Likewise of what may be another's; see `Architecture.build_within`."""
    return find_architecture(model, arguments, offered).build_within(weights)


def adapter_for(network: nn.Module, named: str | None) -> ModelAdapter:
    """The adapter that is named, or else the one whose family the network is of.

    Raises InputError where neither gives one.
    """
    if named is not None:
        adapter = call(load_named(named, "network: adapter"), f"adapter {named}")
        if not isinstance(adapter, ModelAdapter):
            raise InputError(f"adapter {named}", f"a {type(adapter).__name__}", "a ModelAdapter")
        return adapter
    found = find_family(network)
    if found is not None:
        return found
    raise InputError(
        "network",
        f"{type(network).__name__} is of no known family ({', '.join(FAMILIES)})",
        "the key adapter with its ModelAdapter as module:Class",
    )


def find_family(network: nn.Module) -> ModelAdapter | None:
    """The adapter of the family that a network is of; None where it is of none."""
    for family in FAMILIES.values():
        if isinstance(network, family.network()):
            return family.adapter()
    return None


def check_image(network: nn.Module, adapter: ModelAdapter, sides: tuple[int, ...]) -> None:
    """InputError unless the sides of an image are multiples of the network's patch."""
    try:
        patch = adapter.patch(network)
    except AttributeError as error:
        raise InputError("adapter", f"does not fit the network: {error}") from error
    if any(side % patch for side in sides):
        raise InputError(
            f"network {type(network).__name__}",
            f"images of {' x '.join(map(str, sides))} pixels",
            f"sides that are multiples of its patch of {patch}",
        )
