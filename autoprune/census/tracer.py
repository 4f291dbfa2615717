"""Tracer: follows every tensor of a forward pass and counts what is multiplied on its way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from autoprune.census.attention import Product, contracts_tokens, count_chain, count_product
from autoprune.census.elementwise import SpikeLogic, count_logic
from autoprune.census.functions import (
    AVERAGES,
    CONVOLUTIONS,
    MASKS,
    POOLS,
    PRODUCTS,
    convolution_geometry,
    einsum_factors,
    flattened,
    layer_arguments,
)
from autoprune.census.layers import LayerCall, count_layer
from autoprune.census.ledger import Ledger
from autoprune.census.trace import Trace, mark, merged, trace_of
from autoprune.errors import CountingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an operation stands, as in `autoprune.workload.Op`; `name` begins its name."""

    name: str
    block: int | None
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a network is shown: T steps of B samples, with weights rounded to so many bits."""

    steps: int
    samples: int
    weight_bits: int = 32


class Tracer(TorchFunctionMode):
    """While it is entered, torch's functions count themselves into `ledger`.

    Args:
        model: the network.
        places: where a layer stands, by the name of its weight.
        prefixes: where anything else stands, by the path of a module around it.
        shown: what it is shown.

    Modules are told by hooks, which `hooked` sets: neurons stop the trace, since a neuron's own
    arithmetic is counted as its updates.
    """

    def __init__(
        self,
        model: nn.Module,
        places: Mapping[str, Place],
        prefixes: Mapping[str, Place],
        shown: Shown,
    ) -> None:
        super().__init__()
        self.ledger = Ledger()
        self._places, self._prefixes = places, prefixes
        self._steps, self._samples = shown.steps, shown.samples
        self._weight_bits = shown.weight_bits
        self._weights = {id(p): name for name, p in model.named_parameters()}
        self._path: list[str] = [""]
        self._asleep = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call `func`, and mark its results."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if self._asleep:
            return out
        results = [r for r in (out if isinstance(out, tuple | list) else (out,))]
        if any(isinstance(result, Tensor) for result in results):
            name = getattr(func, "__name__", "")
            trace = self._result(name, func, args, kwargs, out)
            for result in results:
                if isinstance(result, Tensor):
                    mark(result, trace)
        return out

    def enter(self, path: str, module: nn.Module, *, is_neuron: bool) -> None:
        """A module begins."""
        self._path.append(path)
        self._asleep += is_neuron

    def leave(self, module: nn.Module, x: Any, out: Any, *, is_neuron: bool) -> None:
        """A module ended; neurons are assigned to what drives them, a norm to what it follows."""
        path = self._path.pop()
        if is_neuron:
            self._fired(path, x, out)
            self._asleep -= 1
        elif isinstance(module, _BatchNorm) and not self._asleep:
            trace = self._trace(x)
            for driver in trace.drivers[-1:]:
                self.ledger.fold(driver)

    def _trace(self, value: Any) -> Trace:
        known = trace_of(value)
        if known is not None:
            return known
        name = self._weights.get(id(value))
        return Trace(weight=name) if name else Trace()

    def _result(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        out: Any,
    ) -> Trace:
        counted = self._counted(name, args, kwargs, out)
        return self._passed(name, func, args, kwargs, out) if counted is None else counted

    def _counted(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any
    ) -> Trace | None:
        """Of a function that multiplies matrices, which is counted; None of any other."""
        if name in CONVOLUTIONS:
            return self._convolution(args, kwargs, out)
        if name == "linear":
            return self._linear(args, kwargs, out)
        if name in PRODUCTS:
            left, right = args[:2] if name != "__rmatmul__" else args[1::-1]
            return self._product(left, right, out, PRODUCTS[name])
        if name == "einsum" and len(args) == 3:
            factors = einsum_factors(*args)
            if factors is not None and not any(self._trace(x).weight for x in args[1:]):
                for factor, x in zip(factors, args[1:], strict=True):
                    mark(factor, replace(self._trace(x), factors=None))
                return self._product(*factors, out, "einsum")
        if name == "scaled_dot_product_attention":
            return self._attention(args, kwargs, out)
        return None

    def _passed(
        self,
        name: str,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        out: Any,
    ) -> Trace:
        """Of any other function: what went in comes out, unless it is masked or summed."""
        tensors = [a for a in flattened((args, kwargs)) if isinstance(a, Tensor)]
        traces = [self._trace(tensor) for tensor in tensors]
        if not traces:
            return Trace()
        if name in MASKS and len(tensors) == 2 and all(map(_is_spikes, traces)):
            return self._mask(tensors, traces)
        if name == "sum" and _is_spikes(traces[0]) and isinstance(out, Tensor):
            return self._sum(tensors[0], traces[0], out)
        if name in MASKS and len(tensors) == 1:
            return replace(traces[0], logic=None)  # by a number: factors stay factors
        trace = merged(traces)
        if name in POOLS:
            trace = _pooled(trace, func, args, kwargs)
        return replace(trace, real=trace.real or name in AVERAGES)

    def _place(self, weight: str) -> Place:
        """Where the layer of a weight stands; without an adapter, by its module's path."""
        path = weight.rpartition(".")[0]
        return self._places.get(weight) or Place(name=path or weight, block=None, branch="")

    def _here(self) -> Place:
        """Where the module that runs now stands: the longest known path around it."""
        path = self._path[-1]
        around = [p for p in self._prefixes if path == p or path.startswith(f"{p}.")]
        if around:
            return self._prefixes[max(around, key=len)]
        return Place(name=path, block=None, branch="")

    def _convolution(self, args: tuple[Any, ...], kwargs: dict[str, Any], out: Tensor) -> Trace:
        given = layer_arguments(args, kwargs)
        return self._layer(given, out, "conv", **convolution_geometry(given))

    def _linear(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        out: Tensor,
        operator: str = "linear",
    ) -> Trace:
        given = layer_arguments(args, kwargs)
        x = given["input"]
        if tuple(x.shape[:2]) == (self._steps, self._samples) and x.ndim > 2:
            given["input"], out = x.flatten(0, 1), out.flatten(0, 1)
            mark(given["input"], self._trace(x))
        return self._layer(given, out, operator)

    def _layer(self, given: dict[str, Any], out: Tensor, operator: str, **geometry: Any) -> Trace:
        x, weight, bias = given["input"], given["weight"], given.get("bias")
        source, named = self._trace(x), self._trace(weight).weight
        if named is None:
            raise CountingError(
                f"{self._path[-1]}: a layer whose weights are no parameter of the network"
            )
        place = self._place(named)
        if len(x) % self._samples:
            raise CountingError(f"{place.name}: {len(x)} rows of input for {self._samples} samples")
        op = count_layer(
            LayerCall(
                name=place.name,
                block=place.block,
                branch=place.branch,
                producers=source.producers,
                x=x,
                weight=weight,
                out=out,
                steps=len(x) // self._samples,
                real=source.real or not source.producers,
                norm_folded=False,
                weight_bits=self._weight_bits,
                **geometry,
            )
        )
        self.ledger.add(op)
        self.ledger.operators[operator] += op.dense_macs
        shape = (-1, *[1] * (out.ndim - 2)) if op.kind == "conv" else (-1,)
        offset = 0 if bias is None else bias.detach().reshape(shape)
        return Trace(drivers=(op.name,), real=True, touched=lambda: out != offset)

    def _product(self, left: Tensor, right: Tensor, out: Tensor, operator: str) -> Trace:
        sources = self._trace(left), self._trace(right)
        if sources[1].weight and not sources[0].weight and right.ndim == 2:
            weight = right.mT
            mark(weight, sources[1])
            return self._linear((left, weight), {}, out, operator)
        if any(source.weight for source in sources):
            raise CountingError(
                f"{self._path[-1]}: a matrix product with a parameter that is no weight matrix "
                "on its right; use a linear layer"
            )
        self.ledger.operators[operator] += out.numel() * left.shape[-1]
        for factor, trace, third in (
            (left, sources[0], right),
            (right, sources[1], left),
        ):
            if trace.factors is not None:
                return self._second_product(trace, third, on_right=factor is left, out=out)
        place = self._here()
        name = self.ledger.number(f"{place.name}.product")
        producers = tuple(dict.fromkeys((*sources[0].producers, *sources[1].producers)))
        a, b = self._by_step(left, name), self._by_step(right, name)
        self.ledger.add(count_product(self._made(Product, place, name, producers, a=a, b=b)))
        return Trace(
            drivers=(name,), producers=producers, factors=(left, right), touched=lambda: out != 0
        )

    def _second_product(self, trace: Trace, third: Tensor, *, on_right: bool, out: Tensor) -> Trace:
        place, first = self._here(), trace.drivers[-1]
        name = self.ledger.number(f"{place.name}.product")
        assert trace.factors is not None
        a, b = (self._by_step(factor, first) for factor in trace.factors)
        producers = tuple(dict.fromkeys((*self._trace(third).producers, first)))
        layer = next((op for op in self.ledger.ops if op.name in trace.producers[:1]), None)
        tokens, fastest = (layer.m, layer.kind == "conv") if layer else (a.shape[-1], True)
        ops = count_chain(
            self._made(Product, place, first, trace.producers, a=a, b=b),
            self._made(Product, place, name, producers, a=self._by_step(third, name), b=b),
            on_right=on_right,
            scores_first=not contracts_tokens(a, tokens, tokens_fastest=fastest),
        )
        self.ledger.replace(first, *ops)
        return Trace(drivers=(name,), touched=lambda: out != 0)

    def _attention(self, args: tuple[Any, ...], kwargs: dict[str, Any], out: Tensor) -> Trace:
        """Softmax attention: scores of what may be spikes, then real scores times values."""
        names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal", "scale")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        if given.get("attn_mask") is not None or given.get("is_causal"):
            raise CountingError(f"{self._path[-1]}: attention with a mask is not counted")
        place = self._here()
        name = self.ledger.number(f"{place.name}.attention")
        q, k, v = (self._by_step(given[part], name) for part in names[:3])
        producers = merged([self._trace(given[part]) for part in names[:3]]).producers
        scale = given.get("scale") or q.shape[-1] ** -0.5
        scores = (q @ k.mT * scale).softmax(-1)
        for part, a, b in (("scores", q, k.mT), ("values", scores, v)):
            made = self._made(Product, place, f"{name}.{part}", producers, a=a, b=b)
            self.ledger.add(count_product(made))
        return Trace(drivers=(f"{name}.values",), real=True, touched=lambda: out != 0)

    def _mask(self, tensors: list[Tensor], traces: list[Trace]) -> Trace:
        place = self._here()
        name = self.ledger.number(f"{place.name}.mask")
        producers = merged(traces).producers
        a, b = (self._by_step(tensor, name) for tensor in tensors)
        self.ledger.add(count_logic(self._made(SpikeLogic, place, name, producers, a=a, b=b)))
        return Trace(producers=(name,), logic=name)

    def _sum(self, x: Tensor, trace: Trace, out: Tensor) -> Trace:
        name = trace.logic
        if name is None:
            place = self._here()
            name = self.ledger.number(f"{place.name}.sum")
            a, summed = self._by_step(x, name), x.numel() // out.numel()
            logic = self._made(SpikeLogic, place, name, trace.producers, a=a, summed=summed)
            self.ledger.add(count_logic(logic))
        return Trace(drivers=(name,), touched=lambda: out != 0)

    def _made(
        self, kind: Any, place: Place, name: str, producers: tuple[str, ...], **rest: Any
    ) -> Any:
        """A Product or SpikeLogic that stands at `place`."""
        return kind(
            name=name,
            block=place.block,
            branch=place.branch,
            producers=producers,
            steps=self._steps,
            **rest,
        )

    def _by_step(self, x: Tensor, name: str) -> Tensor:
        """`x` as [T, B, ...]."""
        if tuple(x.shape[:2]) == (self._steps, self._samples):
            return x
        if len(x) == self._steps * self._samples:
            return x.unflatten(0, (self._steps, self._samples))
        raise CountingError(
            f"{name}: an operand of shape {list(x.shape)}; expected [T, B, ...] with T = "
            f"{self._steps} and B = {self._samples}"
        )

    def _fired(self, path: str, x: Tensor, out: Tensor) -> None:
        """Neurons took `x` and emitted `out`, both [T, B, ...]."""
        trace = self._trace(x)
        x_seq = self._by_step(x, path)
        neurons, updates = math.prod(x_seq.shape[2:]), x_seq.numel()
        owner = self.ledger.last(trace.drivers) or trace.logic
        if owner is None:
            self.ledger.unowned[path] = neurons
            mark(out, replace(trace, real=False))
            return
        touched = trace.touched
        active = updates if touched is None else int(torch.count_nonzero(touched()))
        by_sample = self._by_step(out, path).flatten(2).sum(2)
        spikes = int(by_sample.sum(dtype=torch.float64))
        self.ledger.drive(owner, neurons, updates, active, spikes)
        mark(out, Trace(producers=(owner,)))


def _is_spikes(trace: Trace) -> bool:
    return bool(trace.producers) and not trace.drivers and not trace.real


def _pooled(
    trace: Trace, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Trace:
    """A pooled entry is touched where any entry of its window is."""
    touched = trace.touched
    if touched is None:
        return trace
    return replace(
        trace, touched=lambda: func(touched().to(args[0].dtype), *args[1:], **kwargs) > 0
    )
