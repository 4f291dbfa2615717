"""What is multiplied entry by entry: which of it is added up, and so takes MACs."""

from __future__ import annotations

from torch import Tensor

from autoprune.workload.census.call import Call
from autoprune.workload.census.contraction import Entrywise, Pair, is_outer
from autoprune.workload.census.functions import ADDITIONS, JOINS
from autoprune.workload.census.places import Names
from autoprune.workload.census.results import dims_of, one_number
from autoprune.workload.census.trace import Traced, mark, trace_of
from autoprune.workload.census.values import BINARY, examine, version

_FACTORS = {"mul": (0, 1), "div": (0, 1), "addcmul": (1, 2), "addcdiv": (1, 2), "addr": (1, 2)}
_FACTORS |= {"lerp": (1, 2), "_prelu_kernel": (0, 1)}
"""What multiplies entry by entry, and which of its arguments."""

_ANDS = {"logical_and", "bitwise_and", "minimum"}
"""What multiplies where both hold nothing but 0 and 1."""

_MASKS = {"where", "masked_fill"} | _ANDS
"""What multiplies by a mask, the first two where they leave 0 in place of what it leaves out."""

_ALONE = {"mul", "div"} | _MASKS
"""Those that give the product and nothing else."""

_SUMS = {"cumsum", "index_add", "scatter_add", "scatter_reduce", "index_put"}
_ADDS = ADDITIONS | _FACTORS.keys()
_KEEPS = _ADDS | JOINS | {"neg"}
"""What adds up entries of one tensor, of several, and what a sum of products may go through."""


def multiplied(call: Call, path: str, names: Names) -> Pair | None:
    """What a call in the module `path` multiplies entry by entry.

    None where one factor is a number, or nothing is multiplied but a square.
    """
    factors = chosen(call) or [call.args[i] for i in _FACTORS.get(call.name, ())]
    if len(factors) < 2 or not all(isinstance(x, Tensor) for x in factors):
        return None
    first, second = factors
    traces = trace_of(first), trace_of(second)
    constants = [x for x, trace in zip(factors, traces, strict=True) if trace is None]
    alike = first is second or (call.name == "div" and traces[1] is not None)
    if alike or any(_is_number(x, names) for x in constants):
        return None
    left = first.unsqueeze(-1) if call.name == "addr" else first
    left, right = left.expand(call.out.shape), second.expand(call.out.shape)
    outer = is_outer(left, right)
    if call.name in _MASKS and not outer:
        return None
    made = Entrywise(
        call=call.name,
        path=path,
        entries=call.out.numel(),
        factors=(first, second),
        versions=(version(first), version(second)),
        is_scale=not outer and any(map(_is_whole, constants)),
        selects=not outer and any(examine(x) == BINARY for x in constants or factors),
        is_alone=call.name in _ALONE and not call.is_in_place,
    )
    return Pair(made, left, right, traces)


def chosen(call: Call) -> list[Tensor]:
    """A mask of 0 and 1 and what it lets pass, where nothing else is left; else empty."""
    if call.name == "where":
        mask, x, other = call.args
        if _is_zero(x):
            mask, x, other = _negated(mask), other, x
        alone = _is_zero(other)
    elif call.name == "masked_fill":
        mask, x = _negated(call.args[1]), call.args[0]
        alone = _is_zero(call.args[2])
    elif call.name in _ANDS:
        mask, x = call.args[:2]
        alone = isinstance(x, Tensor) and examine(mask) == examine(x) == BINARY
    else:
        return []
    return [mask, x] if alone else []


def _negated(mask: Tensor) -> Tensor:
    other, trace = mask.logical_not(), trace_of(mask)
    if trace is not None:
        mark(other, trace)
    return other


def _is_zero(value: object) -> bool:
    """Whether it is a constant that is 0 everywhere."""
    if isinstance(value, Tensor):
        return trace_of(value) is None and not value.any()
    return value == 0


def products(call: Call, inputs: list[Traced], pair: Pair | None) -> tuple[Entrywise, ...]:
    """Products entry by entry in a result; those that are added up in it are told so.

    Args:
        call: what gave it.
        inputs: of the call.
        pair: what it multiplied itself.
    """
    if pair is not None and call.name in _ALONE:
        return (pair.made,)
    parts = [set(trace.products) for _, trace in inputs if trace.products]
    parts += [{pair.made}] if pair is not None else []
    sums = call.is_reduction or call.is_average or call.name in _SUMS
    if not parts or not (call.is_same or sums or call.name in _KEEPS):
        return ()
    (x, trace), summed = inputs[0], set()
    if sums:
        direct = trace.pair if call.is_reduction else None
        if direct is None or direct.adds_up(dims_of(call, x)):
            summed = set.union(*parts)
    elif call.name in _ADDS:
        several = [part for part in parts if any(not made.is_scale for made in part)]
        summed = set.union(*several) if len(several) > 1 else set()
    for made in summed:
        made.is_summed = True
    return tuple(set.union(*parts))


def _is_number(x: Tensor, names: Names) -> bool:
    """Whether a constant is one number, and no entry of a larger parameter."""
    part = x.numel() == 1 and not _is_whole(x) and names.of(x)
    return not part and one_number(x) is not None


def _is_whole(x: Tensor) -> bool:
    """Whether nothing but `x` is in its memory."""
    return x.untyped_storage().nbytes() == x.numel() * x.element_size()
