"""Tracer: follows every tensor of a forward pass and counts what is done to it on its way.

It sees what torch executes: composite functions, whatever they are called and from whatever
language, arrive as the few operators of which they are made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from autoprune.errors import CountingError
from autoprune.workload.census.axes import Axes
from autoprune.workload.census.call import Call, tensors
from autoprune.workload.census.calls import Calls, Traced
from autoprune.workload.census.contraction import FACTORS, SUMS, Entrywise, Pair, is_outer
from autoprune.workload.census.coverage import Coverage
from autoprune.workload.census.functions import (
    ADDITIONS,
    AVERAGES,
    BATCH_NORMS,
    COPIES,
    JOINS,
    KEEPING,
    MAKES,
    POOLS,
    QUANTISERS,
    REDUCTIONS,
    REPEATS,
    Convolution,
)
from autoprune.workload.census.places import Names
from autoprune.workload.census.touched import Touched
from autoprune.workload.census.trace import Emission, Trace, mark, merged, trace_of
from autoprune.workload.census.values import BINARY, examine

PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "convolution"}


class Tracer(TorchDispatchMode):
    """While it is entered, torch's operators are counted and their results marked.

    Args:
        model: the network.
        calls: what is counted is put there.
        source: the trace of what the network is shown.

    Modules are told by hooks, which `autoprune.workload.census.count` sets: neurons stop the
    trace, since a neuron's own arithmetic is counted as its updates.
    """

    def __init__(self, model: nn.Module, calls: Calls, source: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls, self.coverage = calls, Coverage()
        self._source = source
        self._sizes = calls.shown.sizes
        self._names = Names(model, calls.places)
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
        given = args
        if torch.Tag.inplace_view in func.tags:  # as it was seen before
            before = args[0].detach()
            if (seen := trace_of(args[0])) is not None:
                mark(before, seen)
            given = (before, *args[1:])
        out = func(*args, **(kwargs or {}))
        call = Call(func, given, kwargs or {}, out)
        if call.name in PRODUCTS:
            self._begun(call)
        inputs = [(x, trace) for x in call.inputs if (trace := trace_of(x)) is not None]
        if not inputs or call.name in MAKES:
            self._names.derived(call)
        elif call.results:
            self._follow(call, inputs)
        else:
            self.coverage.see(call, self._here)
        return out

    def __exit__(self, *raised: Any) -> None:
        """Stop, unless neurons that raised had it stopped."""
        if not self._asleep:
            super().__exit__(*raised)  # type: ignore[no-untyped-call]

    def _begun(self, call: Call) -> None:
        """In the first step of a recurrent layer the state that it reads is a constant: zeros."""
        given = [x for x in call.args[:3] if isinstance(x, Tensor)]
        if any(trace_of(x) is not None for x in given):
            return
        for x in given:
            state = x.ndim > 1 and len(x) == self._sizes.samples and not self._names.of(x)
            if state and not x.any():
                mark(x, Trace(producers=("input",), axes=Axes(batch=(0, 1)), unit=1.0))

    @property
    def _here(self) -> str:
        return self._path[-1] if self._path else ""

    def enter(self, path: str, given: object, *, is_neuron: bool) -> None:
        """A module begins."""
        if not self._path:
            for shown in tensors(given):
                mark(shown, self._source)
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
            trace = self.calls.fired(path, (x, self._neurons_input(path, x)), first)
            for result in tensors(out):
                mark(result, trace if result is first else replace(trace, held=None))
        self._asleep -= is_neuron
        if is_neuron and not self._asleep:
            super().__enter__()  # type: ignore[no-untyped-call]

    def read(self, out: object) -> None:
        """Something outside of the network reads what it gave; the pass is over."""
        for result in tensors(out):
            if (trace := trace_of(result)) is not None:
                self.calls.read(result, trace)

    def _neurons_input(self, path: str, x: Tensor) -> Trace:
        """The trace of what neurons take, which has time first where it has T steps."""
        trace, steps = trace_of(x) or Trace(), self._sizes.steps
        if self._source.axes.time and trace.axes.time and trace.axes.time[0] and steps > 1:
            raise CountingError(
                f"{path}: neurons run over axis 0, and the time steps lie in axis "
                f"{trace.axes.time[0]}; expected frames along the axis that the network takes for "
                f"time: time_axis = {1 - self._source.axes.time[0]}"
            )
        if trace.axes.time is None and x.ndim > 1 and len(x) == steps > 1:
            first = tuple(x.shape[:2]) == (steps, self._sizes.samples)
            batch = trace.axes.batch or ((1, 1) if first else None)
            if batch is not None and batch[0] != 0:
                return replace(trace, axes=replace(trace.axes, time=(0, 1), batch=batch))
        return trace

    def _follow(self, call: Call, inputs: list[Traced]) -> None:
        counted = self._counted(call) or self._mask(call, inputs)
        pair = None if counted else self._pair(call, inputs)
        if counted is None and pair is None:
            self.coverage.see(call, self._here)
        trace = counted or self._passed(call, inputs, pair)
        if call.is_in_place:
            self._written(call, trace, inputs)
        for index, result in call.results:
            axes = trace.axes if counted else self._axes(call, inputs, result)
            unit = trace.unit or self._unit(call, inputs)
            mark(result, replace(_moved(trace, call, index), axes=axes, unit=unit))

    def _written(self, call: Call, trace: Trace, inputs: list[Traced]) -> None:
        """Memory that a view was written into holds what was written, too."""
        view = call.args[0] if call.args and isinstance(call.args[0], Tensor) else None
        base = view._base if view is not None else None
        if view is None or base is None:
            return
        known = trace_of(base)
        unit = self._unit(call, inputs)
        seen = self._axes(call, inputs, view).viewed(view, base, self._sizes)
        if known is not None:
            trace, seen = merged([known, trace], known.axes), known.axes
            unit = unit if known.unit == unit or view.numel() == base.numel() else None
        if seen.time is None:
            seen = replace(seen, time=seen.missing_time(base, self._sizes))
        mark(base, replace(trace, axes=seen, touched=None, held=None, unit=unit))

    def _counted(self, call: Call) -> Trace | None:
        """The trace of a product of matrices, which is counted; None of any other operator."""
        name, args = call.name, call.args
        if name in ("convolution", "convolution_overrideable"):
            return self._convolution(call)
        if name in ("sum", "mean"):
            return self._contraction(call)
        if name in ("mm", "bmm"):
            return self._product(call, args[0], args[1])
        if name in ("addmm", "baddbmm", "addbmm"):
            return self._product(call, args[1], args[2], args[0])
        if name in ("mv", "addmv"):
            matrix, vector = args[-2:] if name == "addmv" else args[:2]
            bias = args[0] if name == "addmv" else None
            return self._product(call, matrix, vector.unsqueeze(-1), bias, vector=vector)
        return None

    def _convolution(self, call: Call) -> Trace | None:
        x, weight, bias, stride, padding, dilation, transposed, _, groups = call.args[:9]
        trace = trace_of(x)
        if trace is None or trace_of(weight) is not None:
            return None
        dims = weight.ndim - 2
        axes = replace(trace.axes.aligned(x, call.out, self._sizes), channel=(1, 1))
        return self.calls.layer(
            self._names.site(weight, self._here),
            (x, trace),
            weight,
            None if bias is None else bias.detach().reshape(-1, *[1] * dims),
            call.out,
            axes,
            Convolution(
                stride=_each(stride, dims),
                padding=_each(padding, dims),
                dilation=_each(dilation, dims),
                groups=groups,
                transposed=transposed,
            ),
        )

    def _product(
        self,
        call: Call,
        left: Tensor,
        right: Tensor,
        added: Tensor | None = None,
        *,
        vector: Tensor | None = None,
    ) -> Trace | None:
        """``left @ right``, batched or not, plus what is `added`."""
        if vector is not None and (known := trace_of(vector)) is not None:
            mark(right, known)
        first, second, out = trace_of(left), trace_of(right), call.out
        out = out.unsqueeze(-1) if vector is not None else out
        if out.ndim != left.ndim:  # addbmm adds up the matrices
            return None
        axes = _outer(first, second, out.ndim)
        if first is not None and second is not None:
            trace = self.calls.product(self._here, (left, first), (right, second), out, axes)
        else:
            made = self._layer(left, right, added if trace_of(added) is None else None, out, axes)
            if made is None:
                return None
            trace = made
        if vector is not None:
            column = trace.touched and trace.touched.column()
            trace = replace(trace, axes=trace.axes.without(out.ndim - 1), touched=column)
        more = trace_of(added)
        return trace if more is None else replace(merged([trace, more], trace.axes), touched=None)

    def _layer(
        self, left: Tensor, right: Tensor, bias: Tensor | None, out: Tensor, axes: Axes
    ) -> Trace | None:
        """A product with what does not depend on the input: a layer."""
        trace, weight, x = trace_of(left), right, left
        channel = (out.ndim - 1, 1)
        if trace is None:
            trace, weight, x = trace_of(right), left.mT, right.mT
            channel = (out.ndim - 2, 1)
            if trace is not None:
                trace = replace(trace, axes=trace.axes.swapped(x.ndim))
        assert trace is not None
        if trace.axes.time == (x.ndim - 1, 1) and weight.shape[-1] == self._sizes.steps:
            axes = replace(axes, time=channel)  # steps of steps, as in a parallel neuron
        site = self._names.site(weight, self._here)
        convolution = Convolution()
        if weight.ndim == 3:
            if len(weight) == 1 or bool((weight == weight[:1]).all()):
                weight = weight[0]
            else:  # each matrix of its own for a part of the channels, such as a head
                if any(axis and axis[0] == 0 for axis in (trace.axes.time, trace.axes.batch)):
                    return None
                convolution = Convolution(groups=len(weight))
                x = x.permute(1, 0, 2).flatten(1)
                trace = replace(trace, axes=trace.axes.reduced([0], 3, kept=False))
                weight = weight.mT.flatten(0, 1).mT
        return self.calls.layer(
            site, (x, trace), weight.mT, bias, out, replace(axes, channel=channel), convolution
        )

    def _contraction(self, call: Call) -> Trace | None:
        """A product entry by entry that is added up, where that is a product of matrices."""
        x, out, trace = call.args[0], call.out, trace_of(call.args[0])
        if trace is None or trace.pair is None:
            return None
        pair, dims = trace.pair, _dims(call, x)
        first, second = pair.traces
        if first is None:
            pair = Pair(pair.made, pair.right, pair.left, (second, None))
            first, second = pair.traces
        assert first is not None
        found = pair.matrices(dims, trace.axes, weight=second is None)
        if found is None:
            return None
        first = replace(first, axes=found.left_axes)
        axes = self._axes(call, [(x, trace)], out)
        if second is not None:
            second = replace(second, axes=found.right_axes)
            left, right = (found.left, first), (found.right, second)
            made: Trace | None = self.calls.product(self._here, left, right, out, axes)
        else:
            if found.column is not None:
                column = found.column
                if out.ndim < x.ndim:
                    column -= sum(d < column for d in dims)
                axes = replace(axes, channel=(column, 1))
            mark(found.left, first)
            made = self._layer(found.left, found.right, None, out, axes)
        pair.made.is_counted = made is not None
        return made

    def _mask(self, call: Call, inputs: list[Traced]) -> Trace | None:
        """The trace of spikes times spikes entry by entry; None where that is no mask."""
        if call.name != "mul" or len(inputs) < 2 or not all(t.is_spikes for _, t in inputs):
            return None
        (x, _), (y, _) = inputs
        if is_outer(x.expand(call.out.shape), y.expand(call.out.shape)):
            return None
        axes = self._axes(call, inputs, call.out)
        return self.calls.mask(self._here, inputs[0], inputs[1], axes)

    def _pair(self, call: Call, inputs: list[Traced]) -> Pair | None:
        """What is multiplied entry by entry, unless it is a number, or a mask of spikes."""
        factors = [call.args[i] for i in FACTORS.get(call.name, ())]
        if len(factors) < 2 or not all(isinstance(x, Tensor) for x in factors):
            return None
        traces = trace_of(factors[0]), trace_of(factors[1])
        constants = [x for x in factors if trace_of(x) is None]
        alike = factors[0] is factors[1] or (call.name == "div" and traces[1] is not None)
        if alike or any(map(self._is_number, constants)):
            return None
        first, second = factors
        left = first.unsqueeze(-1) if call.name == "addr" else first
        left, right = left.expand(call.out.shape), second.expand(call.out.shape)
        outer = is_outer(left, right)
        made = Entrywise(
            call=call.name,
            path=self._here,
            entries=call.out.numel(),
            factors=(first, second),
            versions=(first._version, second._version),
            is_scale=not outer and any(map(_is_whole, constants)),
            selects=not outer and any(examine(x) == BINARY for x in constants or factors),
        )
        self.coverage.products.append(made)
        return Pair(made, left, right, traces)

    def _products(
        self, call: Call, inputs: list[Traced], pair: Pair | None
    ) -> tuple[Entrywise, ...]:
        """Products entry by entry in a result; those that are added up in it are told so."""
        if pair is not None and call.name in ("mul", "div"):
            return (pair.made,)
        parts = [set(trace.products) for _, trace in inputs if trace.products]
        parts += [{pair.made}] if pair is not None else []
        if not parts:
            return ()
        found = set.union(*parts)
        summed = found if call.name in SUMS else set()
        if call.name in ADDITIONS | FACTORS.keys():
            several = [part for part in parts if any(not made.is_scale for made in part)]
            summed = {made for part in several for made in part} if len(several) > 1 else set()
        x, trace = inputs[0]
        if call.name in REDUCTIONS and trace.pair and not trace.pair.adds_up(_dims(call, x)):
            summed = set()
        for made in summed:
            made.is_summed = True
        linear = call.is_view or call.name in COPIES | JOINS | ADDITIONS | FACTORS.keys() | {"neg"}
        return tuple(found) if linear or call.name in SUMS else ()

    def _is_number(self, x: Tensor) -> bool:
        """Whether a constant is one number, and no entry of a larger parameter."""
        part = x.numel() == 1 and not _is_whole(x) and self._names.of(x)
        return not part and _constant(x) is not None

    def _passed(self, call: Call, inputs: list[Traced], pair: Pair | None) -> Trace:
        """The trace of any other result: what went in, unless it is masked, summed or fired."""
        traces = [trace for _, trace in inputs]
        trace = merged(traces, Axes())
        trace = replace(trace, products=self._products(call, inputs, pair))
        if pair is not None:
            direct = call.name in ("mul", "div") and not call.is_in_place
            return replace(trace, pair=pair if direct else None)
        name = call.name
        if name in QUANTISERS and not self._is_binary(inputs):
            return self._emitted(call, inputs, trace)
        self._elementwise(call, inputs)
        if name in JOINS and len(inputs) == len(call.args[0]):
            parts = [(x.shape, trace.touched) for x, trace in inputs]
            joined = Touched.joined(parts, call.argument("dim", 0), stacked=name == "stack")
            return replace(trace, touched=joined)
        if name == "sum" and trace.is_spikes:
            return replace(trace, summed=(*inputs[0], _dims(call, inputs[0][0])))
        if call.is_view or name in COPIES:
            return replace(trace, **self._same_memory(call, inputs[0]))
        if len(inputs) == 1 and call.is_entrywise and name not in ADDITIONS:
            return replace(trace, summed=traces[0].summed)
        return trace

    def _unit(self, call: Call, inputs: list[Traced]) -> float | None:
        """What one spike is in the result; None where only its data can tell."""
        x, out, name = inputs[0][0], call.out, call.name
        units = {trace.unit for _, trace in inputs}
        unit = units.pop() if len(units) == 1 else None
        if unit is None or not isinstance(out, Tensor | tuple | list):
            return None
        if name in ("mul", "div") and len(inputs) == 1 and call.args[0] is x:
            factor = _constant(call.args[1])
            return factor and (unit * factor if name == "mul" else unit / factor)
        if name == "mul" and len(inputs) == 1:
            factor = _constant(call.args[0])
            return factor and unit * factor
        if name == "mul":
            return unit**2
        if name in AVERAGES and isinstance(out, Tensor) and out.numel():
            kernel = call.argument("kernel_size") if name.startswith("avg") else None
            window = math.prod(_each(kernel, int(name[-2]))) if kernel else x.numel() / out.numel()
            return unit / window
        added = name in ADDITIONS and len(inputs) == 2
        kept = call.is_view or added or name in KEEPING
        return unit if kept else None

    def _same_memory(self, call: Call, given: Traced) -> dict[str, Any]:
        """What a view or copy of binary entries keeps: that they are."""
        x, trace = given
        pair = trace.pair and trace.pair.then(call)
        known = {"logic": trace.logic, "summed": trace.summed, "pair": pair}
        if trace.held is None or trace.held[1] != x._version or not call.results:
            return known
        return known | {"held": (trace.held[0], call.results[0][1]._version)}

    def _is_binary(self, inputs: list[Traced]) -> bool:
        return all(x.dtype == torch.bool or (t.held and t.is_spikes) for x, t in inputs)

    def _emitted(self, call: Call, inputs: list[Traced], trace: Trace) -> Trace:
        """Whole numbers of real ones: a neuron's spikes, if they are read as such."""
        owner = self.calls.ledger.last(trace.drivers)
        for _, given in inputs:
            owner = owner or given.logic or self.calls.summed(self._here, given)
        axes = self._axes(call, inputs, call.out)
        emission = Emission(self._here, owner, call.out, axes)
        producers = (owner,) if owner else trace.producers or ("input",)
        return Trace(producers=producers, emitted=(emission,), axes=axes, unit=1.0)

    def _elementwise(self, call: Call, inputs: list[Traced]) -> None:
        """Note what is done entry by entry to an activation."""
        (x, trace), ledger = inputs[0], self.calls.ledger
        if call.name in ADDITIONS and isinstance(call.out, Tensor):
            if len(inputs) > 1:
                ledger.note("residual", call.out.numel())
            elif not any(not isinstance(a, Tensor) and a == 0 for a in call.args[:2]):
                ledger.note("bias", call.out.numel())
        elif call.name in POOLS:
            ledger.note("pooling", x.numel())
        elif call.name in BATCH_NORMS:
            ledger.note("batch_norm", call.results[0][1].numel())
            for driver in trace.drivers[-1:]:
                ledger.fold(driver)

    def _axes(self, call: Call, inputs: list[Traced], out: Tensor) -> Axes:
        """Where time, samples and channels lie in a result that is no product."""
        found = Axes()
        for x, trace in inputs:
            axes, name, sizes = trace.axes, call.name, self._sizes
            if call.is_view and name not in REPEATS:
                axes = axes.viewed(x, out, sizes)
            elif name in REPEATS:
                axes = axes.repeated(x, out, sizes)
            elif name in JOINS:
                dim = call.argument("dim", 0) % out.ndim
                inner = x.shape[dim] if name == "cat" else 0
                axes = axes.stacked(dim, len(call.args[0]), sizes, inner=inner)
            elif name in REDUCTIONS and out.ndim < x.ndim:
                axes = axes.reduced(_dims(call, x), x.ndim, kept=False)
            else:
                axes = axes.aligned(x, out, sizes)
            found = Axes(
                found.time or axes.time, found.batch or axes.batch, found.channel or axes.channel
            )
        if call.name == "cat" and found.time is None and len(out) == self._sizes.steps:
            first = call.argument("dim", 0) == 0 and found.batch and found.batch[0]
            return replace(found, time=(0, 1)) if first else found  # parts of all steps
        return found


def _outer(left: Trace | None, right: Trace | None, ndim: int) -> Axes:
    """The axes of ``left @ right``: its rows are the left's, its columns the right's."""
    found = Axes()
    for trace, summed in ((left, ndim - 1), (right, ndim - 2)):
        if trace is not None:
            kept = trace.axes.without(summed)
            found = Axes(
                found.time or kept.time, found.batch or kept.batch, found.channel or kept.channel
            )
    return found


def _is_whole(x: Tensor) -> bool:
    """Whether nothing but `x` is in its memory."""
    return x.untyped_storage().nbytes() == x.numel() * x.element_size()


def _constant(value: object) -> float | None:
    """The number that all entries are; None where they differ."""
    if not isinstance(value, Tensor):
        return float(value) if isinstance(value, int | float) else None
    low, high = (float(x) for x in torch.aminmax(value.detach())) if value.numel() else (0.0, 1.0)
    return low if low == high and low else None


def _dims(call: Call, x: Tensor) -> tuple[int, ...]:
    """The dimensions over which a reduction goes."""
    over = call.argument("dim")
    dims = tuple(over) if isinstance(over, list | tuple) else () if over is None else (over,)
    return tuple(dim % x.ndim for dim in dims) or tuple(range(x.ndim))


def _each(value: list[int], dims: int) -> tuple[int, ...]:
    return tuple(value) if len(value) == dims else tuple(value) * dims


def _moved(trace: Trace, call: Call, index: int | None) -> Trace:
    """The trace of one result of an operator that rearranged or pooled a product."""
    known = call.is_view or call.name in POOLS or call.name in COPIES
    if trace.touched is None or not known:
        return trace
    return replace(trace, touched=trace.touched.then(call, index))
