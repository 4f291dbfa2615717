"""Calls: what functions that multiply or add up activations did, put into the ledger."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from autoprune.errors import CountingError
from autoprune.workload.census.attention import (
    Product,
    contracts_tokens,
    count_chain,
    count_product,
)
from autoprune.workload.census.functions import Layer
from autoprune.workload.census.layers import LayerCall, count_layer
from autoprune.workload.census.ledger import Ledger
from autoprune.workload.census.logic import SpikeLogic, count_logic
from autoprune.workload.census.operand import Operand
from autoprune.workload.census.places import Places, Site
from autoprune.workload.census.shown import Shown
from autoprune.workload.census.touched import Touched
from autoprune.workload.census.trace import Contents, Trace, merged, trace_of, union
from autoprune.workload.census.values import BINARY, REAL, Values, examine, spikes

Traced = tuple[Tensor, Trace]


class Calls:
    """Counts calls into a ledger, and tells the trace of their results.

    Args:
        places: of the network.
        shown: what the network is shown.
    """

    def __init__(self, places: Places, shown: Shown) -> None:
        self.ledger = Ledger()
        self.shown = shown
        self.places = places

    def layer(self, weight: str, given: Layer, source: Trace, out: Tensor, operator: str) -> Trace:
        """A linear layer or convolution.

        Args:
            weight: name of its weight.
            given: its arguments; its input has time and batch as one first axis.
            source: the trace of its input.
            out: its output, of the same kind as the input.
            operator: what fvcore calls the function.
        """
        at, tensor = self.places.layer(weight), given.x
        samples = self.shown.samples
        if len(tensor) % samples:
            raise CountingError(f"{at.name}: {len(tensor)} rows of input for {samples} samples")
        is_real = source.real or not source.producers
        op = count_layer(
            LayerCall(
                at=self._at(at, at.name, source.producers),
                x=tensor,
                values=REAL if is_real else values_of(tensor, source),
                weight=given.weight,
                out=out,
                steps=len(tensor) // samples,
                weight_bits=self.shown.weight_bits,
                convolution=given.convolution,
            )
        )
        self.ledger.add(op)
        self.ledger.operators[operator] += op.work.dense_macs
        bias = given.bias
        if bias is not None:
            self.ledger.note("bias", out.numel())
            bias = bias.detach().reshape(-1, *[1] * (out.ndim - 2) if op.kind == "conv" else [])
        return Trace(drivers=(op.name,), real=True, touched=Touched.of(out, bias))

    def product(self, path: str, left: Traced, right: Traced, out: Tensor, operator: str) -> Trace:
        """Two activations multiplied; where one of them was a product itself, a chain."""
        self.ledger.operators[operator] += out.numel() * left[0].shape[-1]
        for factor, third in ((left, right), (right, left)):
            if factor[1].factors is not None:
                return self._chain(path, factor[1], third, out, on_right=factor is left)
        producers = merged([left[1], right[1]]).producers
        at = self._numbered(path, "product", producers)
        a, b = (self._operand(x, at.name) for x in (left, right))
        self.ledger.add(count_product(Product(at=at, a=a, b=b)))
        return Trace(
            drivers=(at.name,),
            producers=producers,
            factors=(left[0], right[0], out),
            touched=Touched.of(out),
        )

    def _chain(
        self, path: str, trace: Trace, third: Traced, out: Tensor, *, on_right: bool
    ) -> Trace:
        first = trace.drivers[-1]
        counted = self.ledger.find(first)
        assert trace.factors is not None and counted is not None
        a, b = (self._operand((x, trace_of(x) or Trace()), first) for x in trace.factors[:2])
        done = a.times(b, self.shown.by_step(trace.factors[2], first))
        at = self._numbered(path, "product", union((third[1].producers, (first,))))
        c = self._operand(third, at.name)
        layer = self.ledger.find(trace.producers[0]) if trace.producers else None
        known = (layer.sizes.m, layer.kind == "conv") if layer else (a.x.shape[-1], True)
        tokens, fastest = known
        ops = count_chain(
            Product(at=self._at(at, first, trace.producers), a=a, b=b),
            counted,
            Product(at=at, a=c, b=done),
            on_right=on_right,
            scores_first=not contracts_tokens(a.x, tokens, tokens_fastest=fastest),
        )
        self.ledger.replace(first, *ops)
        return Trace(drivers=(at.name,), touched=Touched.of(out))

    def attention(
        self, path: str, qkv: tuple[Traced, ...], scale: float | None, out: Tensor
    ) -> Trace:
        """Softmax attention: scores of what may be spikes, then real scores times values."""
        producers = merged([trace for _, trace in qkv]).producers
        whole = self._numbered(path, "attention", producers)
        query, key, value = (self._operand(x, whole.name) for x in qkv)
        scale = scale or query.x.shape[-1] ** -0.5
        scores = Operand((query.x @ key.x.mT * scale).softmax(-1), REAL)
        for part, a, b in (("scores", query, key.mT), ("values", scores, value)):
            at = replace(whole, name=f"{whole.name}.{part}")
            self.ledger.add(count_product(Product(at=at, a=a, b=b)))
        return Trace(drivers=(f"{whole.name}.values",), real=True, touched=Touched.of(out))

    def mask(self, path: str, a: Traced, b: Traced) -> Trace | None:
        """Spikes times spikes, entry by entry; None where one of the two holds real numbers."""
        a_values, b_values = values_of(*a), values_of(*b)
        if REAL in (a_values, b_values):
            return None
        at = self._numbered(path, "mask", merged([a[1], b[1]]).producers)
        first, second = (self.shown.by_step(x, at.name) for x, _ in (a, b))
        first, full = torch.broadcast_tensors(first, second)
        logic = SpikeLogic(
            at=at,
            a=Operand(first, a_values),
            b=Operand(full, b_values),
            b_repeats=full.numel() // max(1, second.numel()),
        )
        self.ledger.add(count_logic(logic))
        return Trace(producers=(at.name,), logic=at.name)

    def sum(self, path: str, x: Traced, axes: tuple[int, ...], out: Tensor) -> Trace | None:
        """Spikes added up over axes of [T, B, ...]; None where they are real numbers."""
        tensor, trace = x
        name = trace.logic
        if name is None:
            values = values_of(tensor, trace)
            if values == REAL:
                return None
            at = self._numbered(path, "sum", trace.producers)
            name = at.name
            a = Operand(self._summed(tensor, axes, name), values)
            self.ledger.add(count_logic(SpikeLogic(at=at, a=a)))
        return Trace(drivers=(name,), touched=Touched.of(out))

    def _summed(self, x: Tensor, axes: tuple[int, ...], name: str) -> Tensor:
        """`x` as [T, B, K, M], K of which make one; steps are added up one after the other."""
        by_step = self.shown.by_step(x, name)
        axes = tuple(axis + by_step.ndim - x.ndim for axis in axes)
        if 1 in axes:
            raise CountingError(f"{name}: spikes of different samples are added up")
        kept = [axis for axis in range(2, by_step.ndim) if axis not in axes]
        inner = [axis for axis in axes if axis > 1]
        summed = math.prod(by_step.shape[axis] for axis in inner)
        steps, samples = by_step.shape[:2]
        return by_step.permute(0, 1, *inner, *kept).reshape(steps, samples, summed, -1)

    def fired(self, path: str, x: Traced, out: Tensor) -> Trace:
        """Neurons took `x` and emitted `out`, both with time and batch; the trace of `out`."""
        tensor, trace = x
        by_step = self.shown.by_step(tensor, path)
        neurons, updates = math.prod(by_step.shape[2:]), by_step.numel()
        self.ledger.note("neuron_update", updates)
        trace.contents.values = None  # neurons may write into what they are given
        owner = self.ledger.last(trace.drivers) or trace.logic
        if owner is None:
            self.ledger.unowned[path] = neurons
            return Trace(producers=trace.producers or ("input",), contents=Contents(examine(out)))
        values = examine(out)
        active = trace.touched.count(updates) if trace.touched else updates
        emitted = spikes(self.shown.by_step(out, path), values).flatten(2).sum(2)
        self.ledger.drive(owner, neurons, updates, active, emitted.sum(0, dtype=torch.float64))
        return Trace(producers=(owner,), contents=Contents(values))

    def _numbered(self, path: str, kind: str, producers: tuple[str, ...]) -> Site:
        """Where an operation of a module stands, under a name that was not given before."""
        around = self.places.around(path)
        return self._at(around, self.ledger.number(f"{around.name}.{kind}"), producers)

    def _at(self, known: Site, name: str, producers: tuple[str, ...]) -> Site:
        return replace(
            known,
            name=name,
            producers=producers,
            with_activity=self.shown.with_activity,
            with_tiles=self.shown.with_tiles,
        )

    def _operand(self, x: Traced, name: str) -> Operand:
        return Operand(self.shown.by_step(x[0], name), REAL if x[1].real else values_of(*x))


def values_of(x: Tensor, trace: Trace) -> Values:
    """What a tensor holds, read off its data unless it is a view of binary entries."""
    known = trace.contents.values
    return known if known == BINARY else examine(x)
