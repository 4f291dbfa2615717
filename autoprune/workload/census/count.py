"""One pass of real samples through a network that counts itself -> Workload."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.errors import CountingError
from autoprune.networks.adapter import ModelAdapter, Neuron
from autoprune.networks.inputs import present
from autoprune.workload.census.calls import Calls
from autoprune.workload.census.coverage import Seen, observed, recall, remember, uncounted
from autoprune.workload.census.places import Places
from autoprune.workload.census.shown import Shown
from autoprune.workload.census.structure import structure
from autoprune.workload.census.trace import Trace
from autoprune.workload.census.tracer import Tracer
from autoprune.workload.census.values import REAL, examine
from autoprune.workload.workload import Uncounted, Workload


def count(  # noqa: PLR0913 - what is counted, and how
    model: nn.Module,
    adapter: ModelAdapter | None,
    inputs: Tensor,
    time_steps: int | None = None,
    *,
    weight_bits: int = 32,
    activity: bool = True,
    product_sparsity: bool = False,
) -> Workload:
    """The workload of `model` on `inputs`, in evaluation mode.

    Args:
        model: the network.
        adapter: tells blocks and branches; None counts just as well, by the modules' own names.
        inputs: images [samples, C, H, W] or frames of events [samples, T, 2, H, W]. Whole numbers
            count as events, so that the layer that reads them is driven by events.
        time_steps: T of a network without an adapter; its attribute T where it is None.
        weight_bits: bits to which the weights were rounded; 32 as they were trained.
        activity: whether the figures of `autoprune.workload.parts.Activity` are taken;
            faster without.
        product_sparsity: whether those of its tiles are taken with them, which takes longer.

    Raises CountingError where an operation cannot be counted exactly.
    """
    steps = _steps(model, adapter) if time_steps is None else time_steps
    shown = present(model, inputs).clone()
    is_real = examine(shown) == REAL
    calls = Calls(
        Places.of(model, adapter),
        Shown(
            steps=steps,
            samples=len(inputs),
            weight_bits=weight_bits,
            with_activity=activity,
            with_tiles=product_sparsity,
        ),
    )
    source = Trace(real=is_real, producers=() if is_real else ("input",))
    model.eval()
    functional.reset_net(model)
    key = structure(model, shown)
    tracer = Tracer(model, calls, source)
    try:
        seen = _run(model, shown, tracer, recall(key))
    finally:
        functional.reset_net(model)
    remember(key, tracer.way, seen)
    ledger = calls.ledger
    if not ledger.ops:
        raise CountingError(f"{type(model).__name__}: no operation was found to count")
    missing = uncounted(seen, ledger.operators, ledger.elementwise)
    missing += [
        Uncounted(name=name, dense_macs=0, reason=f"{neurons} neurons that no product drives")
        for name, neurons in ledger.unowned.items()
    ]
    return Workload(
        network=type(model).__name__,
        samples=len(inputs),
        time_steps=steps,
        ops=ledger.ops,
        elementwise=ledger.elementwise,
        uncounted=tuple(missing),
    )


def _run(
    model: nn.Module, shown: Tensor, tracer: Tracer, known: tuple[Hashable, Seen] | None
) -> Seen:
    """Count one pass; what fvcore sees of it, or saw of an equal one."""
    with torch.inference_mode(), _hooked(model, tracer), tracer:
        if known is None:
            return observed(model, shown)
        model(shown)
    if known[0] == tracer.way:
        return known[1]
    functional.reset_net(model)  # the data led another way through the network
    with torch.inference_mode():
        return observed(model, shown)


def _steps(model: nn.Module, adapter: ModelAdapter | None) -> int:
    if adapter is not None:
        return adapter.time_steps(model)
    if not isinstance(getattr(model, "T", None), int):
        raise CountingError(
            f"{type(model).__name__} has no attribute T; say how many time steps it runs"
        )
    return model.T  # type: ignore[return-value]


@contextmanager
def _hooked(model: nn.Module, tracer: Tracer) -> Iterator[None]:
    """While this lasts, modules tell the tracer when they begin and end."""
    with ExitStack() as stack:
        for path, module in model.named_modules():
            is_neuron = isinstance(module, Neuron)

            def enter(
                module: nn.Module, args: tuple[object, ...], path: str = path, n: bool = is_neuron
            ) -> None:
                tracer.enter(path, args, is_neuron=n)

            def leave(
                module: nn.Module, args: tuple[Tensor, ...], out: Tensor, n: bool = is_neuron
            ) -> None:
                tracer.leave(args[0], out, is_neuron=n)

            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave).remove)
        yield
