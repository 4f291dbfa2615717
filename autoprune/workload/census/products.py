"""Products: which operators multiply matrices, and as which layer or product they are counted."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, is_complex

from autoprune.workload.census.axes import Axes
from autoprune.workload.census.call import Call
from autoprune.workload.census.calls import Calls
from autoprune.workload.census.contraction import Pair
from autoprune.workload.census.functions import CONVOLUTIONS, MATRICES, Convolution
from autoprune.workload.census.places import Names
from autoprune.workload.census.results import axes_after, dims_of, each
from autoprune.workload.census.steps import over_steps
from autoprune.workload.census.touched import touched
from autoprune.workload.census.trace import Trace, mark, merged, trace_of


class Products:
    """Products of matrices among the operators of a pass.

    Args:
        calls: count them.
        names: of the network's parameters.
    """

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls, self._names = calls, names
        self._sizes = calls.shown.sizes

    def counted(self, call: Call, path: str) -> Trace | None:
        """The trace of what a call in the module `path` multiplied; None of any other operator."""
        if call.name in ("sum", "mean"):
            return self._contraction(call, path)
        multiplies = call.name in CONVOLUTIONS | MATRICES.keys() and call.out.numel()
        if not multiplies or any(map(is_complex, call.inputs)):
            return None
        if call.name in CONVOLUTIONS:
            return self._convolution(call, path)
        given = (call.args[place] for place in MATRICES[call.name])
        left, right, *added = map(self._dense, given)
        vector = right.ndim == 1
        if vector:
            known, right = trace_of(right), right.unsqueeze(-1)
            if known is not None:
                mark(right, known)
        return self._product(call, path, left, right, *added, vector=vector)

    def _dense(self, x: Tensor) -> Tensor:
        """What is stored without its zeros with them, as it is known."""
        if x.layout == torch.strided:
            return x
        full, trace = x.to_dense(), trace_of(x)
        self._names.derived([full], [x])
        if trace is not None:
            mark(full, trace)
        return full

    def _convolution(self, call: Call, path: str) -> Trace | None:
        x, weight, bias, stride, padding, dilation, transposed, _, groups = call.args[:9]
        trace, out = trace_of(x), call.out
        if trace is None or trace_of(weight) is not None:
            return None
        dims = weight.ndim - 2
        axes = replace(trace.axes.aligned(x, out), channel=(1, 1))
        walk = Convolution(
            stride=each(stride, dims),
            padding=each(padding, dims),
            dilation=each(dilation, dims),
            groups=groups,
            transposed=transposed,
        )
        site = self._names.site(weight, path)
        bias = None if bias is None else bias.detach().reshape(-1, *[1] * dims)
        apart = over_steps((x, trace), weight, walk, self._sizes)
        if apart is None:
            return self._calls.layer(site, (x, trace), weight, bias, out, axes, walk)
        shown, kernel, walk, split = apart
        made = self._calls.layer(site, shown, kernel, None, split(out)[0], axes, walk)
        if bias is not None:
            self._calls.ledger.note("bias", out.numel())
        return replace(made, touched=touched(out, bias))

    def _product(  # noqa: PLR0913 - what a product is given
        self,
        call: Call,
        path: str,
        left: Tensor,
        right: Tensor,
        added: Tensor | None = None,
        *,
        vector: bool = False,
    ) -> Trace | None:
        """``left @ right``, batched or not, plus what is `added`; a `vector` has one column."""
        first, second, out = trace_of(left), trace_of(right), call.out
        out = out.unsqueeze(-1) if vector else out
        if out.ndim != left.ndim or first is second is None:  # addbmm adds up the matrices
            return None
        axes = Axes()  # rows are the left's, columns the right's
        for trace, summed in ((first, out.ndim - 1), (second, out.ndim - 2)):
            if trace is not None:
                axes = axes.or_else(trace.axes.without(summed))
        if first is not None and second is not None:
            made: Trace | None = self._calls.product(
                path, (left, first), (right, second), out, axes
            )
        else:
            bias = added if trace_of(added) is None else None
            made = self._layer(path, left, right, bias, out, axes)
        if made is None:
            return None
        if vector:
            column = None if made.touched is None else made.touched.squeeze(-1)
            made = replace(made, axes=made.axes.without(out.ndim - 1), touched=column)
        more = trace_of(added)
        return made if more is None else replace(merged([made, more], made.axes), touched=None)

    def _layer(  # noqa: PLR0913 - what a layer is given
        self,
        path: str,
        left: Tensor,
        right: Tensor,
        bias: Tensor | None,
        out: Tensor,
        axes: Axes,
    ) -> Trace | None:
        """A product with what does not depend on the input: a layer."""
        trace, weight, x = trace_of(left), right, left
        channel = (out.ndim - 1, 1)
        if trace is None:
            trace, weight, x = trace_of(right), left.mT, right.mT
            channel = (out.ndim - 2, 1)
            trace = trace and replace(trace, axes=trace.axes.swapped(x.ndim))
        assert trace is not None
        if trace.axes.time == (x.ndim - 1, 1) and weight.shape[-1] == self._sizes.steps:
            axes = replace(axes, time=channel)  # steps of steps, as in a parallel neuron
        site, walk = self._names.site(weight, path), Convolution()
        if weight.ndim == 3:
            if len(weight) == 1 or bool((weight == weight[:1]).all()):
                weight = weight[0]
            else:  # each matrix of its own for a part of the channels, such as a head
                outer = (trace.axes.time, trace.axes.batch)
                groups = min((axis[1] for axis in outer if axis and axis[0] == 0), default=len(x))
                each_sample = weight.unflatten(0, (-1, groups))
                if groups == 1 or bool((each_sample != each_sample[:1]).any()):
                    return None
                walk = Convolution(groups=groups)
                x = x.unflatten(0, (-1, groups)).transpose(1, 2).flatten(2)
                trace = replace(trace, axes=trace.axes.grouped(groups))
                weight = weight[:groups].mT.flatten(0, 1).mT
        axes = axes if axes.channel else replace(axes, channel=channel)
        return self._calls.layer(site, (x, trace), weight.mT, bias, out, axes, walk)

    def _contraction(self, call: Call, path: str) -> Trace | None:
        """A product entry by entry that is added up, where that is a product of matrices."""
        x, out, trace = call.args[0], call.out, trace_of(call.args[0])
        if trace is None or trace.pair is None:
            return None
        pair, dims = trace.pair, dims_of(call, x)
        first, second = pair.traces
        if first is None:
            pair = Pair(pair.made, pair.right, pair.left, (second, None))
            first, second = second, None
        found = pair.matrices(dims, trace.axes, weight=second is None)
        if found is None:
            return None
        (left, left_axes), (right, right_axes), column = found
        first = replace(first, axes=left_axes)
        axes = axes_after(call, [(x, trace)], out, self._sizes)
        if second is not None:
            second = replace(second, axes=right_axes)
            made: Trace | None = self._calls.product(
                path, (left, first), (right, second), out, axes
            )
        else:
            gone = sum(d < (column or 0) for d in dims) if out.ndim < x.ndim else 0
            axes = replace(axes, channel=None if column is None else (column - gone, 1))
            mark(left, first)
            made = self._layer(path, left, right, None, out, axes)
        pair.made.is_counted = made is not None
        return made
