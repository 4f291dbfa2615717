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
from autoprune.workload.census.entrywise import multiplied, products
from autoprune.workload.census.functions import (
    ADDITIONS,
    BATCH_NORMS,
    COPIES,
    JOINS,
    POOLS,
    QUANTISERS,
)
from autoprune.workload.census.places import Names
from autoprune.workload.census.results import axes_after, dims_of
from autoprune.workload.census.touched import Touched
from autoprune.workload.census.trace import Emission, Trace, Traced, merged
from autoprune.workload.census.values import examine, is_one_bit


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

    def mask(self, call: Call, path: str, inputs: list[Traced]) -> Trace | None:
        """The trace of spikes times spikes entry by entry; None where that is no mask."""
        if call.name != "mul" or len(inputs) < 2 or not all(t.is_spikes for _, t in inputs):
            return None
        if is_outer(*(x.expand(call.out.shape) for x, _ in inputs)):
            return None
        axes = axes_after(call, inputs, call.out, self._sizes)
        return self._calls.mask(path, inputs[0], inputs[1], axes)

    def passed(self, call: Call, path: str, inputs: list[Traced]) -> Trace:
        """The trace of any other result: what went in, unless it is summed or fired."""
        pair = multiplied(call, path, self._names)
        if pair is None:
            self._coverage.see(call, path)
        else:
            self._coverage.products.append(pair.made)
        trace = merged([trace for _, trace in inputs], Axes())
        if made := products(call, inputs, pair):
            trace = replace(trace, products=made)
        if pair is not None:
            return replace(trace, pair=pair if pair.made.is_alone else None)
        name = call.name
        if name in QUANTISERS and not all(_is_binary(x, given) for x, given in inputs):
            pixels = trace.shown and not trace.drivers and not is_one_bit(examine(call.out))
            return trace if pixels else self._emitted(call, path, inputs, trace)
        self._note(call, inputs)
        if name in JOINS and len(inputs) == len(call.args[0]):
            parts = [(x.shape, given.touched) for x, given in inputs]
            joined = Touched.joined(parts, call.argument("dim", 0), stacked=name == "stack")
            return replace(trace, touched=joined)
        if name == "sum" and trace.is_spikes:
            return replace(trace, summed=(*inputs[0], dims_of(call, inputs[0][0])))
        if call.is_view or name in COPIES:
            return _same(call, inputs[0], trace)
        if len(inputs) == 1 and call.is_entrywise and name not in ADDITIONS:
            return replace(trace, summed=inputs[0][1].summed)
        return trace

    def _emitted(self, call: Call, path: str, inputs: list[Traced], trace: Trace) -> Trace:
        """Whole numbers of real ones: a neuron's spikes, if they are read as such."""
        owner = self._calls.owner(path, [given for _, given in inputs])
        axes = axes_after(call, inputs, call.out, self._sizes)
        emission = Emission(path, owner, call.out, axes)
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
        elif call.name in POOLS:
            ledger.note("pooling", x.numel())
        elif call.name in BATCH_NORMS:
            ledger.note("batch_norm", call.results[0][1].numel())
            for driver in trace.drivers[-1:]:
                ledger.fold(driver)


def _is_binary(x: Tensor, trace: Trace) -> bool:
    return x.dtype == torch.bool or bool(trace.held and trace.is_spikes)


def _same(call: Call, given: Traced, trace: Trace) -> Trace:
    """Of a view or copy, which keeps what it is made of, and that binary entries are binary."""
    x, before = given
    pair: Pair | None = before.pair and before.pair.then(call)
    held = None
    if before.held is not None and before.held[1] == x._version and call.results:
        held = before.held[0], call.results[0][1]._version
    return replace(trace, logic=before.logic, summed=before.summed, pair=pair, held=held)
