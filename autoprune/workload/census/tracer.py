"""Tracer: follows every tensor of a forward pass and counts what is done to it on its way.

It sees what torch executes: composite functions, whatever they are called and from whatever
language, arrive as the few operators of which they are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from autoprune.errors import CountingError
from autoprune.workload.census.axes import Axes
from autoprune.workload.census.call import Call, tensors
from autoprune.workload.census.calls import Calls
from autoprune.workload.census.coverage import Coverage
from autoprune.workload.census.functions import CONVOLUTIONS, MATRICES
from autoprune.workload.census.operand import Raw
from autoprune.workload.census.passing import Passing
from autoprune.workload.census.places import Names
from autoprune.workload.census.products import Products
from autoprune.workload.census.results import axes_after, unit_after
from autoprune.workload.census.touched import after
from autoprune.workload.census.trace import Root, Trace, Traced, mark, merged, trace_of

PRODUCTS = MATRICES.keys() | CONVOLUTIONS


class Tracer(TorchDispatchMode):
    """While it is entered, torch's operators are counted and their results marked.

    Args:
        model: the network.
        calls: what is counted is put there.
        source: the trace of what the network is shown.

    Modules are told by hooks, which `autoprune.workload.census.count` sets: neurons stop the
    trace, since a neuron's own arithmetic is counted as its updates.
    """

    supports_higher_order_operators = True

    def __init__(self, model: nn.Module, calls: Calls, source: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls, self.coverage = calls, Coverage()
        self._source = source
        self._sizes = calls.shown.sizes
        self._names = Names(model, calls.places)
        self._products = Products(calls, self._names)
        self._passing = Passing(calls, self.coverage, self._names)
        self.ran: Counter[str] = Counter()  # how often neurons were called
        self._path: list[str] = []
        self._asleep = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call `func`, and mark its results."""
        if not isinstance(func, OpOverload):
            raise CountingError(
                f"{self._here}: {func} takes functions, which torch does not take apart here; "
                "expected operators on tensors, such as scaled_dot_product_attention, or the "
                "product written out"
            )
        if torch.is_inference_mode_enabled():  # composite functions arrive whole
            with self:
                parts = func.decompose(*args, **(kwargs or {}))
            if parts is not NotImplemented:
                return parts
        given = args
        if torch.Tag.inplace_view in func.tags:  # as it was seen before
            before = args[0].detach()
            if (seen := trace_of(args[0])) is not None:
                mark(before, seen)
            given = (before, *args[1:])
        out = func(*args, **(kwargs or {}))
        self._see(Call(func, given, kwargs or {}, out))
        return out

    def _see(self, call: Call) -> None:
        """Mark the results of a call."""
        if call.name in PRODUCTS:
            self._begun(call)
        inputs = [(x, trace) for x in call.inputs if (trace := trace_of(x)) is not None]
        if not inputs or call.makes:
            if call.name in PRODUCTS and not all(map(self._names.of, call.inputs)):
                self.coverage.see(call, self._here, constant=True)
            elif not call.makes:
                self._names.derived(tensors(call.out), call.inputs)
        elif call.results:
            self._follow(call, inputs)
        else:
            self.coverage.see(call, self._here)

    def __exit__(self, *raised: Any) -> None:
        """Stop, unless neurons that raised had it stopped."""
        if not self._asleep:
            super().__exit__(*raised)  # type: ignore[no-untyped-call]

    def _begun(self, call: Call) -> None:
        """In the first step of a recurrent layer the state that it reads is a constant: zeros."""
        given = [x for x in call.args[:3] if isinstance(x, Tensor)]
        if any(trace_of(x) is not None for x in given):
            return
        steps, samples = self._sizes.steps, self._sizes.samples
        for x in given:
            rows = x.ndim > 1 and len(x) % samples == 0
            if rows and not self._names.of(x) and not x.any():
                one = Axes(batch=(0, len(x) // samples))
                axes = one if len(x) != steps * samples else Axes()
                mark(x, Trace(producers=("input",), unit=1.0, axes=axes))

    @property
    def _here(self) -> str:
        return self._path[-1] if self._path else ""

    def enter(self, path: str, *, is_neuron: bool) -> None:
        """A module begins."""
        self._path.append(path)
        if is_neuron:
            if not self._asleep:
                super().__exit__(None, None, None)  # type: ignore[no-untyped-call]
            self._asleep += 1

    def leave(self, given: object, out: object, *, is_neuron: bool) -> None:
        """A module ended; neurons are assigned to what drives them."""
        path = self._path.pop()
        if is_neuron and self._asleep == 1:  # the outermost, where one holds another; all is quiet
            x, first = tensors(given)[0], tensors(out)[0]
            taken = self._neurons_input(path, x)
            self.ran[path] += 1
            self.calls.neurons.read(taken, Raw(x))
            owner = self.calls.owner(path, [taken])
            trace = self.calls.neurons.fired(path, (x, taken), first, owner)
            for result in tensors(out):
                mark(result, trace if result is first else replace(trace, held=None))
        elif not self._asleep:
            self._given(out)
        self._asleep -= is_neuron
        if is_neuron and not self._asleep:
            super().__enter__()  # type: ignore[no-untyped-call]

    def _given(self, out: object) -> None:
        """What a module gives is what it emitted, whoever reads it."""
        for result in tensors(out):
            trace = trace_of(result)
            if trace is not None and trace.is_spikes and result.is_floating_point():
                self.calls.neurons.read(trace, Raw(result, unit=trace.unit))

    def read(self, out: object) -> None:
        """Something outside of the network reads what it gave; the pass is over."""
        for result in tensors(out):
            if (trace := trace_of(result)) is not None:
                self.calls.neurons.read(trace, Raw(result, real=trace.shown))
        self._passing.end()

    def _neurons_input(self, path: str, x: Tensor) -> Trace:
        """The trace of what neurons take, which has time first where it has T steps."""
        trace, steps = trace_of(x) or Trace(), self._sizes.steps
        if self._source.axes.time and trace.axes.time and trace.axes.time[0] and steps > 1:
            raise CountingError(
                f"{path}: neurons run over axis 0, and the time steps lie in axis "
                f"{trace.axes.time[0]}; expected frames along the axis that the network takes for "
                f"time: time_axis = {1 - self._source.axes.time[0]}"
            )
        elsewhere = trace.axes.time is None or trace.axes.time[0]  # as T heads that were stacked
        if elsewhere and x.ndim > 1 and len(x) == steps > 1:
            first = tuple(x.shape[:2]) == (steps, self._sizes.samples)
            batch = trace.axes.batch or ((1, 1) if first else None)
            if batch is not None and batch[0] != 0:
                return replace(trace, axes=replace(trace.axes, time=(0, 1), batch=batch))
        return trace

    def _follow(self, call: Call, inputs: list[Traced]) -> None:
        path = self._here
        counted = self._products.counted(call, path) or self._passing.mask(call, path, inputs)
        trace = counted or self._passing.passed(call, path, inputs)
        x, given = inputs[0]
        alone = len(inputs) == 1 and not call.is_in_place and (call.is_entrywise or call.is_same)
        unit = trace.unit if counted else trace.unit or unit_after(call, inputs)
        if call.is_in_place:
            self._written(call, replace(trace, unit=unit), inputs)
        for index, result in call.results:
            axes = trace.axes if counted else axes_after(call, inputs, result, self._sizes)
            touched = after(trace.touched, call, result, index)
            root = given.root if alone and result.numel() == x.numel() else None
            mark(result, replace(trace, axes=axes, unit=unit, touched=touched, root=root or Root()))

    def _written(self, call: Call, trace: Trace, inputs: list[Traced]) -> None:
        """Memory that a view was written into holds what was written, too."""
        view = call.out if isinstance(call.out, Tensor) else None
        base = view._base if view is not None else None
        if view is None or base is None:
            return
        known = trace_of(base)
        unit = trace.unit
        seen = axes_after(call, inputs, view, self._sizes).viewed(view, base, self._sizes)
        if known is not None:
            trace, seen = merged([known, trace], known.axes), known.axes
            unit = unit if known.unit == unit or view.numel() == base.numel() else None
        if seen.time is None:
            seen = replace(seen, time=seen.missing_time(base, self._sizes))
        mark(base, replace(trace, axes=seen, touched=None, held=None, unit=unit))
