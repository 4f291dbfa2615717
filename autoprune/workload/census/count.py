"""One pass of real samples through a network that counts itself -> Workload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from autoprune.errors import CountingError
from autoprune.networks.adapter import ModelAdapter, Neuron
from autoprune.networks.inputs import has_time, present, time_axis_of
from autoprune.workload.census.axes import Axes, Sizes
from autoprune.workload.census.calls import Calls
from autoprune.workload.census.places import Places
from autoprune.workload.census.shown import Shown
from autoprune.workload.census.trace import Trace, mark
from autoprune.workload.census.tracer import Tracer
from autoprune.workload.census.values import REAL, examine
from autoprune.workload.workload import Uncounted, Workload

_ONCE = (
    "neurons in step mode 's' that ran once, and T = {}: one step, or all steps as if they were "
    "samples; expected a loop over the steps in forward, or functional.set_step_mode(network, 'm') "
    "of spikingjelly"
)


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
    is_real = examine(shown).unit != 1 or examine(shown) == REAL
    sizes = Sizes(steps=steps, samples=len(inputs), shown=has_time(model, inputs))
    calls = Calls(
        Places.of(model, adapter),
        Shown(
            sizes=sizes,
            weight_bits=weight_bits,
            with_activity=activity,
            with_tiles=product_sparsity,
        ),
    )
    axes = Axes(batch=(0, 1))
    if sizes.shown:
        axis = time_axis_of(model)
        axes = Axes(time=(axis, 1), batch=(1 - axis, 1))
    source = Trace(shown=is_real, producers=() if is_real else ("input",), axes=axes)
    model.eval()
    functional.reset_net(model)
    tracer = Tracer(model, calls, source)
    try:
        mark(shown, source)
        with torch.no_grad(), _composed(), _hooked(model, tracer), tracer:
            out = model(shown)
        tracer.read(out)
    finally:
        functional.reset_net(model)
    ledger = calls.ledger
    ops = ledger.ops()
    missing = tracer.coverage.uncounted(ledger.elementwise)
    if not ops:
        seen = "".join(f"; {item.name} {item.reason}" for item in missing if not item.is_free)
        raise CountingError(f"{type(model).__name__}: no operation was found to count{seen}")
    missing += [
        Uncounted(name=name, dense_macs=0, reason=f"{neurons} neurons that no product drives")
        for name, neurons in ledger.unowned.items()
    ]
    missing += [
        Uncounted(name=path or "the network itself", dense_macs=0, reason=_ONCE.format(steps))
        for path, times in tracer.ran.items()
        if times == 1 < steps and model.get_submodule(path).step_mode == "s"
    ]
    return Workload(
        network=type(model).__name__,
        samples=len(inputs),
        time_steps=steps,
        ops=ops,
        elementwise=ledger.elementwise,
        uncounted=tuple(missing),
        found=ledger.found(),
        folded=ledger.folded,
    )


@contextmanager
def _composed() -> Iterator[None]:
    """While this lasts, torch takes attention apart, in place of a kernel that does it at once."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


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
    """While this lasts, modules tell the tracer when they begin and end; scripted ones cannot."""
    with ExitStack() as stack:
        for path, module in model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            neurons = isinstance(module, Neuron)

            def enter(*_: object, path: str = path, neurons: bool = neurons) -> None:
                tracer.enter(path, is_neuron=neurons)

            def leave(
                _: nn.Module, args: object, named: object, out: object, neurons: bool = neurons
            ) -> None:
                tracer.leave((args, named), out, is_neuron=neurons)

            stack.callback(module.register_forward_pre_hook(enter).remove)
            stack.callback(module.register_forward_hook(leave, with_kwargs=True).remove)
        yield
