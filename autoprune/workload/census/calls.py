"""Calls: what operators that multiply or add up activations did, put into the ledger."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from autoprune.errors import CountingError
from autoprune.workload.census.attention import contracts_tokens, count_product
from autoprune.workload.census.axes import Axes
from autoprune.workload.census.entry import Entry, Factors, Link, Part
from autoprune.workload.census.functions import LINEAR, Convolution
from autoprune.workload.census.layers import Layer
from autoprune.workload.census.ledger import Ledger
from autoprune.workload.census.logic import count_mask, count_sum
from autoprune.workload.census.neurons import Neurons
from autoprune.workload.census.operand import Raw
from autoprune.workload.census.places import Places, Site
from autoprune.workload.census.shown import Shown
from autoprune.workload.census.touched import touched
from autoprune.workload.census.trace import Sum, Trace, Traced, union
from autoprune.workload.census.values import BINARY, REAL


class Calls:
    """Counts calls into a ledger, and tells the trace of their results.

    Args:
        places: of the network.
        shown: what the network is shown.
    """

    def __init__(self, places: Places, shown: Shown) -> None:
        self.ledger = Ledger(shown.sizes.steps)
        self.neurons = Neurons(self.ledger, shown)
        self.shown = shown
        self.places = places

    def layer(  # noqa: PLR0913 - what a layer is given
        self,
        site: Site,
        x: Traced,
        weight: Tensor,
        bias: Tensor | None,
        out: Tensor,
        axes: Axes,
        convolution: Convolution = LINEAR,
    ) -> Trace:
        """A linear layer or convolution.

        Args:
            site: where it stands.
            x: its input: [rows ..., K] of a linear layer, [N, C, ...] of a convolution.
            weight: as in `Layer`.
            bias: broadcastable to `out`.
            out: its output.
            axes: of `out`.
            convolution: how it walks over the input, where it is one.
        """
        trace = x[1]
        tensor = self._rows(x[0], trace.axes, weight.ndim - 1, site.name)
        size = tuple(out.shape[2:]) if weight.ndim > 2 else ()
        layer = Layer(weight.detach(), size, convolution, self.shown.weight_bits)
        raw = self._raw(tensor, trace, channel=3)
        entry = self._add(site, trace.producers, (raw,), layer.op, numbered=False)
        self.neurons.read(trace, raw)
        if bias is not None:
            self.ledger.note("bias", out.numel())
        return Trace(drivers=(entry,), touched=touched(out, bias), axes=axes)

    def product(self, path: str, left: Traced, right: Traced, out: Tensor, axes: Axes) -> Trace:
        """Two activations multiplied; where one of them was a product itself, a chain.

        Args:
            path: of the module.
            left: [..., M, K].
            right: [..., K, N].
            out: their product.
            axes: of `out`.
        """
        site = self._within(path, "product")
        a, b = (self._rows(x, trace.axes, 2, site.name) for x, trace in (left, right))
        steps = max(len(a), len(b))
        raws = tuple(
            self._raw(x.expand(steps, *x.shape[1:]), trace, channel=2)
            for x, trace in ((a, left[1]), (b, right[1]))
        )
        producers = union((left[1].producers, right[1].producers))
        part = _part(left, right) if raws[0].x.shape[2] == 1 else None
        entry = self._add(site, producers, raws, count_product, numbered=True, part=part)
        for (_, trace), raw in zip((left, right), raws, strict=True):
            self.neurons.read(trace, raw)
        for on_right, trace in ((True, left[1]), (False, right[1])):
            if trace.factors is not None:
                self.ledger.chain(entry, raws, Link(trace.factors, on_right))
                break
        tokens = next(
            (p.ops[0].sizes.m for p in producers[:1] if isinstance(p, Entry) and p.ops), 0
        )
        channels = _channels(left[1], left[0].ndim)
        return Trace(
            drivers=(entry,),
            producers=producers,
            factors=Factors(
                entry, (raws[0], raws[1]), not contracts_tokens(left[0], tokens, channels)
            ),
            touched=touched(out),
            axes=axes,
            unit=_both(left[1].unit, right[1].unit),
        )

    def mask(self, path: str, a: Traced, b: Traced, axes: Axes) -> Trace | None:
        """Spikes times spikes, entry by entry; None where one of the two holds real numbers."""
        site = self._within(path, "mask")
        full = torch.broadcast_tensors(a[0], b[0])
        pair = tuple(
            self._raw(self._rows(x, axes, 0, site.name), trace)
            for x, (_, trace) in zip(full, (a, b), strict=True)
        )
        if any(raw.real or raw.operand().values == REAL for raw in pair):
            return None
        repeats = full[1].numel() // max(1, b[0].numel())
        producers = union((a[1].producers, b[1].producers))
        build = partial(count_mask, repeats=repeats)
        entry = self._add(site, producers, pair, build, numbered=True)
        for (_, trace), raw in zip((a, b), pair, strict=True):
            self.neurons.read(trace, raw)
        unit = _both(a[1].unit, b[1].unit)
        return Trace(producers=(entry,), logic=(entry,), axes=axes, unit=unit)

    def _summed(self, path: str, made: Sum) -> Entry | None:
        """The operation of spikes that are added up before neurons take them; None of real ones."""
        if made.entry is not None:
            return made.entry
        (x, before), dims = made.spikes, made.dims
        site = self._within(path, "sum")
        axes = before.axes
        if axes.batch is not None and axes.batch[0] in dims and self.shown.sizes.samples > 1:
            raise CountingError(f"{site.name}: spikes of different samples are added up")
        inner = [d for d in dims if axes.time is None or d != axes.time[0]]
        kept = [d for d in range(x.ndim) if d not in inner]
        count = math.prod(x.shape[d] for d in inner)
        moved = x.permute(*kept, *inner).reshape(*(x.shape[d] for d in kept), count)
        tensor = self._rows(moved, axes.reduced(inner), 1, site.name)
        raw = self._raw(tensor.mT, before)
        if raw.operand().values == REAL:
            return None
        self.neurons.read(before, raw)
        made.entry = self._add(site, before.producers, (raw,), count_sum, numbered=True)
        return made.entry

    def owner(self, path: str, traces: list[Trace]) -> Entry | None:
        """The last operation whose result neurons of the module `path` take; None of none."""
        found = union(trace.drivers for trace in traces)
        if not found:
            made = (one for trace in traces for one in trace.logic)
            entries = (self._summed(path, one) if isinstance(one, Sum) else one for one in made)
            found = tuple(entry for entry in entries if entry)
        return max(found, key=lambda entry: entry.number, default=None)

    def _rows(self, x: Tensor, axes: Axes, inner: int, name: str) -> Tensor:
        """`x` as [T, B, rows, ...], with the last `inner` axes as they are."""
        outer = x.ndim - inner
        kept = Axes(*(a if a and a[0] < outer else None for a in (axes.time, axes.batch)))
        x = self.shown.by_step(x, kept, name)
        if x.ndim == inner + 2:
            x = x.unsqueeze(2)
        return x.flatten(2, x.ndim - inner - 1)

    def _raw(self, x: Tensor, trace: Trace, channel: int | None = None) -> Raw:
        """An operand; real where only the data of a constant say otherwise, and nothing fired."""
        made = trace.drivers and trace.factors is None and not trace.emitted
        constant = bool(made) and bool((x == x[:1, :1, :1]).all())
        known = trace.held[0] if trace.held and trace.held[0] == BINARY else None
        return Raw(
            x,
            real=trace.shown or constant,
            channel=channel,
            is_product=trace.factors is not None,
            known=known,
            unit=trace.unit,
        )

    def _add(self, site: Site, *given: Any, numbered: bool, part: Part | None = None) -> Entry:
        activity, tiles = self.shown.with_activity, self.shown.with_tiles
        site = replace(site, with_activity=activity, with_tiles=tiles)
        return self.ledger.add(site, *given, numbered=numbered, part=part)

    def _within(self, path: str, kind: str) -> Site:
        """Where an operation of a module stands, under what its name begins with."""
        around = self.places.around(path)
        return replace(around, name=f"{around.name}.{kind}")


def _both(a: float | None, b: float | None) -> float | None:
    return a * b if a is not None and b is not None else None


def _part(left: Traced, right: Traced) -> Part | None:
    """Which part of two tensors is multiplied; None where one of the two is whole."""
    one, other = _place(*left), _place(*right)
    if one is None or other is None:
        return None
    return Part((one[0], other[0]), (one[1], other[1]))


def _place(x: Tensor, trace: Trace) -> tuple[object, int] | None:
    """The memory of which it is a part, and where; a product of parts is one of theirs."""
    if trace.factors is not None:
        before = trace.factors.entry.part
        return None if before is None else (before.whole, before.places[0])
    memory = x.untyped_storage()
    if x.numel() * x.element_size() == memory.nbytes():
        return None
    of = memory.data_ptr(), trace.producers, tuple(sorted(x.stride()))
    return of, int(x.storage_offset())


def _channels(trace: Trace, ndim: int) -> int | None:
    """Which of the last two axes holds channels."""
    place = trace.axes.channel[0] - ndim if trace.axes.channel else 0
    return place if place in (-1, -2) else None
