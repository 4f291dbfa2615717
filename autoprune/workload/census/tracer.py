"""Tracer: follows every tensor of a forward pass and counts what is done to it on its way."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from autoprune.errors import CountingError
from autoprune.workload.census.call import Call, flattened, is_array
from autoprune.workload.census.calls import Calls, Traced
from autoprune.workload.census.coverage import unrecorded
from autoprune.workload.census.functions import (
    ADDITIONS,
    AVERAGES,
    CONVOLUTIONS,
    MASKS,
    POOLS,
    PRODUCTS,
    VIEWS,
    Layer,
    adds_nothing,
    einsum_factors,
    layer_arguments,
    summed_axes,
)
from autoprune.workload.census.trace import Contents, Trace, mark, merged, trace_of

_ATTENTION = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale")


class Tracer(TorchFunctionMode):
    """While it is entered, torch's functions are counted and their results marked.

    Args:
        model: the network.
        calls: what is counted is put there.
        source: the trace of what the network is shown.

    Modules are told by hooks, which `autoprune.workload.census.count` sets: neurons stop the
    trace, since a neuron's own arithmetic is counted as its updates.
    """

    def __init__(self, model: nn.Module, calls: Calls, source: Trace) -> None:
        super().__init__()
        self.calls, self._source = calls, source
        self._weights = {id(p): name for name, p in model.named_parameters()}
        self._path: list[str] = []
        self._asleep = 0
        self._called: list[Hashable] = []

    @property
    def way(self) -> Hashable:
        """Which functions were called, with what results' shapes, and the MACs that were counted.

        Equal for two passes of networks of one `autoprune.workload.census.structure` that fvcore
        cannot tell from each other.
        """
        return tuple(self._called), frozenset(self.calls.ledger.operators.items())

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call `func`, and mark its results."""
        call = Call(func, args, kwargs or {}, func(*args, **(kwargs or {})))
        if self._asleep:
            if is_array(call.out):
                self._called.append(call.name)
            return call.out
        results = call.results
        if results:
            with unrecorded():
                self._called.append((call.name, *(x.shape for _, x in results)))
                trace = self._counted(call) or self._passed(call)
                for index, result in results:
                    mark(result, _moved(trace, call, index))
        return call.out

    def enter(self, path: str, args: tuple[object, ...], *, is_neuron: bool) -> None:
        """A module begins."""
        if not self._path:
            for shown in filter(is_array, flattened(args)):
                mark(shown, self._source)
        self._path.append(path)
        self._asleep += is_neuron

    def leave(self, x: Tensor, out: Tensor, *, is_neuron: bool) -> None:
        """A module ended; neurons are assigned to what drives them."""
        path = self._path.pop()
        if is_neuron and self._asleep == 1:  # the outermost, where one holds another
            with unrecorded():
                mark(out, self.calls.fired(path, self._traced(x), out))
        self._asleep -= is_neuron

    def _trace(self, value: object) -> Trace:
        known = trace_of(value)
        if known is not None:
            return known
        name = self._weights.get(id(value))
        return Trace(weight=name) if name else Trace()

    def _traced(self, value: Tensor) -> Traced:
        return value, self._trace(value)

    def _counted(self, call: Call) -> Trace | None:
        """The trace of a product of matrices, which is counted; None of any other function."""
        name, args = call.name, call.args
        if name in CONVOLUTIONS:
            return self._layer(layer_arguments(call), call.out, name="conv")
        if name == "linear":
            return self._linear(layer_arguments(call), call.out)
        if name in PRODUCTS:
            left, right = args[:2] if name != "__rmatmul__" else args[1::-1]
            return self._product(self._traced(left), self._traced(right), call.out, PRODUCTS[name])
        if name == "einsum" and len(args) == 3:
            return self._einsum(call)
        if name == "scaled_dot_product_attention":
            return self._attention(call)
        return None

    def _einsum(self, call: Call) -> Trace | None:
        factors = einsum_factors(*call.args)
        if factors is None or any(self._trace(x).weight for x in call.args[1:]):
            return None
        left, right, in_order = factors
        for factor, x in zip((left, right), call.args[1:], strict=True):
            mark(factor, replace(self._trace(x), factors=None))
        trace = self._product(self._traced(left), self._traced(right), call.out, "einsum")
        return trace if in_order else replace(trace, factors=None)

    def _layer(self, given: Layer, out: Tensor, name: str) -> Trace:
        weight = self._trace(given.weight).weight
        if weight is None:
            raise CountingError(
                f"{self._path[-1]}: a layer whose weights are no parameter of the network"
            )
        return self.calls.layer(weight, given, self._trace(given.x), out, name)

    def _linear(self, given: Layer, out: Tensor, name: str = "linear") -> Trace:
        x, shown = given.x, self.calls.shown
        if x.ndim == 2 or tuple(x.shape[:2]) != (shown.steps, shown.samples):
            return self._layer(given, out, name)
        flat = x.flatten(0, 1)
        mark(flat, self._trace(x))
        trace = self._layer(replace(given, x=flat), out.flatten(0, 1), name)
        return replace(trace, touched=trace.touched and trace.touched.shaped(out))

    def _product(self, left: Traced, right: Traced, out: Tensor, name: str) -> Trace:
        if right[1].weight and not left[1].weight and right[0].ndim == 2:
            weight = right[0].mT
            mark(weight, right[1])
            return self._linear(Layer(x=left[0], weight=weight), out, name)
        if left[1].weight or right[1].weight:
            raise CountingError(
                f"{self._path[-1]}: a matrix product with a parameter that is no weight matrix "
                "on its right; use a linear layer"
            )
        return self.calls.product(self._path[-1], left, right, out, name)

    def _attention(self, call: Call) -> Trace:
        given = call.given(_ATTENTION)
        if given.get("attn_mask") is not None or given.get("is_causal"):
            raise CountingError(f"{self._path[-1]}: attention with a mask is not counted")
        qkv = tuple(self._traced(given[part]) for part in _ATTENTION[:3])
        return self.calls.attention(self._path[-1], qkv, given.get("scale"), call.out)

    def _passed(self, call: Call) -> Trace:
        """The trace of any other result: what went in, unless it is masked or summed."""
        inputs = [self._traced(x) for x in call.inputs]
        traces = [trace for _, trace in inputs]
        if not traces:
            return Trace()
        if call.is_in_place:
            traces[0].contents.values = None
        found = self._spike_logic(call, inputs)
        if found is not None:
            return found
        if call.name in MASKS and len(traces) == 1:  # by a number: factors stay factors
            return replace(traces[0], logic=None, contents=Contents())
        trace = merged(traces)
        self._elementwise(call, inputs)
        if call.name in VIEWS:
            return replace(trace, contents=traces[0].contents)
        return replace(trace, real=trace.real or call.name in AVERAGES)

    def _spike_logic(self, call: Call, inputs: list[Traced]) -> Trace | None:
        """The trace of spikes that were masked or summed; None of anything else."""
        if not all(trace.is_spikes for _, trace in inputs):
            return None
        if call.name in MASKS and len(inputs) == 2:
            return self.calls.mask(self._path[-1], *inputs)
        if call.name == "sum" and isinstance(call.out, Tensor):
            return self.calls.sum(self._path[-1], inputs[0], summed_axes(call), call.out)
        return None

    def _elementwise(self, call: Call, inputs: list[Traced]) -> None:
        """Note what is done entry by entry to an activation."""
        (x, trace), ledger = inputs[0], self.calls.ledger
        active = [t for _, t in inputs if t.is_activation]
        if not active:
            return
        if call.name in ADDITIONS:
            if len(active) > 1:
                ledger.note("residual", call.out.numel())
            elif not adds_nothing(call):
                ledger.note("bias", call.out.numel())
        elif call.name in POOLS:
            ledger.note("pooling", x.numel())
        elif call.name == "batch_norm":
            ledger.note("batch_norm", call.out.numel())
            for driver in trace.drivers[-1:]:
                ledger.fold(driver)


def _moved(trace: Trace, call: Call, index: int | None) -> Trace:
    """The trace of one result of a function that rearranged or pooled a product."""
    if trace.touched is None or call.name not in VIEWS | POOLS:
        return trace
    known = bool(call.args) and isinstance(call.args[0], Tensor)
    return replace(trace, touched=trace.touched.then(call, index) if known else None)
