"""One pass of real samples through a network that counts itself -> Workload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.census.activity import operand_class
from autoprune.census.coverage import uncounted
from autoprune.census.trace import Trace, mark
from autoprune.census.tracer import Place, Shown, Tracer
from autoprune.errors import CountingError
from autoprune.models.adapter import ModelAdapter, Neuron
from autoprune.models.inputs import present
from autoprune.workload import Uncounted, Workload


def count(
    model: nn.Module,
    adapter: ModelAdapter | None,
    inputs: Tensor,
    time_steps: int | None = None,
    *,
    weight_bits: int = 32,
) -> Workload:
    """The workload of `model` on `inputs`, in evaluation mode.

    Args:
        model: the network.
        adapter: tells blocks and branches; None counts just as well, by the modules' own names.
        inputs: images [samples, C, H, W] or frames of events [samples, T, 2, H, W]. Whole numbers
            count as events, so that the layer that reads them is driven by events.
        time_steps: T of a network without an adapter; its attribute T where it is None.
        weight_bits: bits to which the weights were rounded; 32 as they were trained.

    Raises CountingError where an operation cannot be counted exactly.
    """
    places, prefixes = ({}, {}) if adapter is None else _places(model, adapter)
    steps = _steps(model, adapter) if time_steps is None else time_steps
    look = Shown(steps=steps, samples=len(inputs), weight_bits=weight_bits)
    tracer = Tracer(model, places, prefixes, look)
    model.eval()
    functional.reset_net(model)
    with torch.inference_mode(), _hooked(model, tracer), tracer:
        shown = present(model, inputs).clone()
        is_real = operand_class(shown) == "real"
        mark(shown, Trace(real=is_real, producers=() if is_real else ("input",)))
        model(shown)
    functional.reset_net(model)
    ledger = tracer.ledger
    if not ledger.ops:
        raise CountingError(f"{type(model).__name__}: no operation was found to count")
    missing = uncounted(model, present(model, inputs[:1]), ledger.operators, len(inputs))
    missing += [
        Uncounted(name=name, dense_macs=0, reason=f"{neurons} neurons that no product drives")
        for name, neurons in ledger.unowned.items()
    ]
    return Workload(
        network=type(model).__name__,
        samples=len(inputs),
        time_steps=steps,
        ops=tuple(ledger.ops),
        uncounted=tuple(missing),
    )


def _steps(model: nn.Module, adapter: ModelAdapter | None) -> int:
    if adapter is not None:
        return adapter.time_steps(model)
    if not isinstance(getattr(model, "T", None), int):
        raise CountingError(
            f"{type(model).__name__} has no attribute T; say how many time steps it runs"
        )
    return model.T  # type: ignore[return-value]


def _places(model: nn.Module, adapter: ModelAdapter) -> tuple[dict[str, Place], dict[str, Place]]:
    """Where layers stand, by weight, and where branches stand, by path."""
    paths = {id(module): path for path, module in model.named_modules()}
    places: dict[str, Place] = {}
    prefixes: dict[str, Place] = {}
    for index, branches in enumerate(adapter.branches(model)):
        for branch in branches:
            prefix = f"blocks.{index}.{branch.name}"
            path = f"{paths[id(branch.owner)]}.{branch.attribute}".removeprefix(".")
            prefixes[path] = Place(name=prefix, block=index, branch=branch.name)
            labels: dict[str, str] = {}
            for matrix in branch.matrices:
                weight = f"{paths[id(matrix.module)]}.weight"
                labels[weight] = labels.get(weight, "") + matrix.name
            for weight, label in labels.items():
                places[weight] = Place(name=f"{prefix}.{label}", block=index, branch=branch.name)
    for part, matrices in zip(("stem", "head"), adapter.outside(model), strict=True):
        for matrix in matrices:
            places[f"{matrix.name}.weight"] = Place(name=matrix.name, block=None, branch=part)
    return places, prefixes


@contextmanager
def _hooked(model: nn.Module, tracer: Tracer) -> Iterator[None]:
    """While this lasts, modules tell the tracer when they begin and end."""
    with ExitStack() as stack:
        for path, module in model.named_modules():
            is_neuron = isinstance(module, Neuron)

            def enter(
                module: nn.Module, args: tuple[object, ...], path: str = path, n: bool = is_neuron
            ) -> None:
                tracer.enter(path, module, is_neuron=n)

            def leave(
                module: nn.Module, args: tuple[Tensor, ...], out: Tensor, n: bool = is_neuron
            ) -> None:
                tracer.leave(module, args[0], out, is_neuron=n)

            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        yield
