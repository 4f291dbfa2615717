"""Passing: what is left of a trace behind an operator that multiplies no matrices."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from autoprune.workload.census.axes import Axes
from autoprune.workload.census.call import Call
from autoprune.workload.census.calls import Calls
from autoprune.workload.census.contraction import Pair, is_outer
from autoprune.workload.census.coverage import Coverage
from autoprune.workload.census.entrywise import chosen, multiplied, products
from autoprune.workload.census.functions import ADDITIONS, CHOICES, JOINS
from autoprune.workload.census.places import Names
from autoprune.workload.census.results import axes_after, dims_of
from autoprune.workload.census.touched import joined
from autoprune.workload.census.trace import (
    Emission,
    Root,
    Sum,
    Trace,
    Traced,
    merged,
    trace_of,
)
from autoprune.workload.census.values import BINARY, REAL, examine, is_one_bit, version


class Passing:
    """Follows what went into an operator to its result.

    Args:
        calls: count masks, and note what is done entry by entry.
        coverage: what is not counted is put there.
        names: of the network's parameters.
    """

    def __init__(self, calls: Calls, coverage: Coverage, names: Names) -> None:
        self._calls, self._coverage, self._names = calls, coverage, names
        self._sizes = calls.shown.sizes
        self._reset: list[Emission] = []
        self._emissions = 0

    def mask(self, call: Call, path: str, inputs: list[Traced]) -> Trace | None:
        """The trace of spikes with spikes entry by entry; None where that is no mask.

        Those of one membrane make one neuron's.
        """
        if len(inputs) < 2 or not all(t.is_spikes for _, t in inputs):
            return None
        factors = call.args[:2] if call.name == "mul" else chosen(call)
        pair = [(x, trace) for x in factors if (trace := trace_of(x)) is not None]
        is_mask = len(pair) == 2
        one = self._one_neuron(call, pair if is_mask else inputs, is_mask=is_mask)
        if one is not None or not is_mask:
            return one
        (x, a), (y, b) = pair
        resets = any(
            any(e.root is past.root for e in now.emitted) or _holds_back(now, past)
            for now, past in ((a, b), (b, a))
        )
        if resets or is_outer(x.expand(call.out.shape), y.expand(call.out.shape)):
            return None
        axes = axes_after(call, inputs, call.out, self._sizes)
        return self._calls.mask(path, (x, a), (y, b), axes)

    def passed(self, call: Call, path: str, inputs: list[Traced]) -> Trace:
        """The trace of any other result: what went in, unless it is summed or fired."""
        if call.name in CHOICES and inputs[0][0] is call.args[0]:
            inputs = inputs[:1]  # places are no part of what lies there
        pair, known = multiplied(call, path, self._names), True
        if pair is None:
            known = self._coverage.see(call, path)
        else:
            self._coverage.products.append(pair.made)
        trace = merged([trace for _, trace in inputs], Axes())
        if made := products(call, inputs, pair):
            trace = replace(trace, products=made)
        if pair is not None:
            return replace(trace, pair=pair if pair.made.is_alone else None)
        name = call.name
        first = call.results[0][1]
        emits = (call.rounds or _chooses(call, inputs)) if known else _holds_spikes(first)
        if emits and _is_past(trace, path, first):  # such as time since a neuron fired
            return replace(trace, unit=1.0)
        if emits and not all(_is_binary(x, given) for x, given in inputs):
            pixels = trace.shown and not trace.drivers and not is_one_bit(examine(first))
            return trace if pixels else self._emitted(first, path, call, inputs, trace)
        self._note(call, inputs)
        if name in JOINS and len(inputs) == len(call.args[0]):
            parts = [(x.shape, given.touched) for x, given in inputs]
            held = joined(parts, call.argument("dim", 0), stacked=name == "stack")
            return replace(trace, touched=held)
        if name == "sum" and trace.is_spikes and not trace.logic:
            return replace(trace, logic=(Sum(inputs[0], dims_of(call, inputs[0][0])),))
        if call.is_same:
            return _same(call, inputs[0], trace)
        return trace

    def _emitted(
        self, spikes: Tensor, path: str, call: Call, inputs: list[Traced], trace: Trace
    ) -> Trace:
        """Whole numbers of real ones: a neuron's spikes, if they are read as such.

        A state into which they went before is a neuron's that they reset, whoever reads them.
        """
        root = (inputs[0][1].root if len(inputs) == 1 else None) or Root()
        known = root.emission
        if known is not None and known.path == path and torch.equal(known.spikes, spikes):
            return self._fired(known, trace)  # what fired is asked once more, to reset it
        owner = self._calls.owner(path, [given for _, given in inputs])
        axes = axes_after(call, inputs, spikes, self._sizes)
        self._emissions += 1
        root.emission = emission = Emission(path, owner, spikes, axes, root, self._emissions)
        before = [e for e in trace.emitted if e.path == path]
        self._reset += (*before, emission) if before else ()
        return self._fired(emission, trace)

    def _one_neuron(self, call: Call, inputs: list[Traced], *, is_mask: bool) -> Trace | None:
        """The trace of spikes of one membrane, combined; None of any other result.

        Such as those of both signs, which are one neuron's, or those that its own past lets pass.
        """
        if not (is_mask or call.is_entrywise) or len(inputs) != 2:
            return None
        (x, a), (y, b) = inputs
        parts = [*a.emitted, *b.emitted]
        if len(parts) == 2 and parts[0].root is parts[1].root and parts[0].path == parts[1].path:
            if parts[0] is parts[1]:
                return None
        elif is_mask and _holds_back(a, b) and examine(y).kind == "binary":
            parts = parts[:1]
        elif is_mask and _holds_back(b, a) and examine(x).kind == "binary":
            parts = parts[-1:]
        else:
            return None
        counted = any(part.is_counted for part in parts)
        whole = replace(parts[0], spikes=call.out, whole=None, is_counted=counted)
        for part in parts:
            part.whole = whole
        return self._fired(whole, inputs[0][1])

    def end(self) -> None:
        """The pass is over: neurons count that nobody read and that reset their membranes."""
        for emission in self._reset:
            self._calls.neurons.emitted(emission)

    def _fired(self, emission: Emission, trace: Trace) -> Trace:
        owner, axes = emission.owner, emission.axes
        producers = (owner,) if owner else trace.producers or ("input",)
        return Trace(producers=producers, emitted=(emission,), axes=axes, unit=1.0)

    def _note(self, call: Call, inputs: list[Traced]) -> None:
        """Note what is done entry by entry to an activation."""
        (x, trace), ledger = inputs[0], self._calls.ledger
        if call.name in ADDITIONS and isinstance(call.out, Tensor):
            if len(inputs) > 1:
                ledger.note("residual", call.out.numel())
            elif not any(not isinstance(a, Tensor) and a == 0 for a in call.args[:2]):
                ledger.note("bias", call.out.numel())
        elif call.is_pool:
            ledger.note("pooling", x.numel())
        elif call.is_batch_norm:
            ledger.note("batch_norm", call.results[0][1].numel())
            for driver in trace.drivers[-1:]:
                driver.norm_folded = True


def _holds_spikes(x: Tensor) -> bool:
    """What an operator that nobody knows gave, by its data alone."""
    return x.is_floating_point() and x.layout == torch.strided and examine(x) != REAL


def _chooses(call: Call, inputs: list[Traced]) -> bool:
    """Whether it writes ones at places that real numbers chose, such as their largest ones."""
    places = all(t.drivers and not x.is_floating_point() for x, t in inputs)
    moves = call.is_same or call.is_entrywise or call.is_reduction or call.name in JOINS
    return places and not moves and examine(call.results[0][1]) == BINARY


def _is_past(trace: Trace, path: str, result: Tensor) -> bool:
    """Whether it is made of nothing but what neurons of the module `path` emitted, one by one."""
    mixed = trace.drivers or trace.shown or trace.logic or not trace.emitted
    return not mixed and all(
        e.path == path and e.spikes.shape == result.shape and _name(e) == _name(trace.emitted[0])
        for e in trace.emitted
    )


def _holds_back(now: Trace, past: Trace) -> bool:
    """Whether `past` is made of what the neurons that emitted `now` emitted in steps before."""
    if len(now.emitted) != 1 or not past.emitted:
        return False
    fired = now.emitted[0]
    before = all(e.number < fired.number and _name(e) == _name(fired) for e in past.emitted)
    return before and _is_past(past, fired.path, fired.spikes)


def _name(emission: Emission) -> str:
    """The operation that drives it, whichever step that was."""
    return emission.owner.site.name if emission.owner else ""


def _is_binary(x: Tensor, trace: Trace) -> bool:
    """Whether it holds spikes, of which another comparison makes no new ones."""
    return x.dtype == torch.bool or (
        trace.is_spikes and (trace.held is not None or is_one_bit(examine(x)))
    )


def _same(call: Call, given: Traced, trace: Trace) -> Trace:
    """What is known of a view or copy: what it is made of, and that binary entries are binary."""
    x, before = given
    pair: Pair | None = before.pair and before.pair.then(call)
    held = None
    if before.held is not None and before.held[1] == version(x) and call.results:
        held = before.held[0], version(call.results[0][1])
    return replace(trace, pair=pair, held=held)
