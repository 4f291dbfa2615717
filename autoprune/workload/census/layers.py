"""Count a convolution or a linear layer: what it read and what it multiplied."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from autoprune.workload.census.activity import activity
from autoprune.workload.census.functions import LINEAR, Convolution
from autoprune.workload.census.operand import Operand, activation, work
from autoprune.workload.census.places import Site
from autoprune.workload.census.tiles import NO_TILES, tiles, unrolled
from autoprune.workload.census.values import Values, is_one_bit, spikes, whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Activity, Geometry, Second, Sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCall:
    """One call of a linear layer or a convolution.

    Attributes:
        at: where it stands.
        x: the input with time and batch as one first axis: [T B, C, ...] of a convolution,
            [T B, ..., C] of a linear layer.
        values: what `x` holds.
        weight: [out, in / groups], or [out, in / groups, kernel ...], or of a transposed
            convolution [in, out / groups, kernel ...].
        out: the output of the same kind, before any norm.
        steps: time steps that the first axis holds.
        windows: rows of one step and sample that the first axis holds.
        weight_bits: bits to which the weights were rounded; 32 as they were trained.
        convolution: how it walks over the input, where it is one.
    """

    at: Site
    x: Tensor
    values: Values
    weight: Tensor
    out: Tensor
    steps: int
    windows: int = 1
    weight_bits: int = 32
    convolution: Convolution = LINEAR

    @property
    def is_conv(self) -> bool:
        """Whether it is a convolution."""
        return self.weight.ndim > 2


def count_layer(call: LayerCall) -> Op:
    """The Op of one call, without neurons.

    Events are exact at borders and strides: what falls off the image reaches nothing.
    """
    at, sizes = call.at, _sizes(call)
    weight, by_tap = _weight(call)
    events, fanout, effective = _synaptic_operations(call, by_tap)
    a = Operand(_steps(call), call.values)
    macs = sizes.m * sizes.k * sizes.n * sizes.groups * (len(call.x) // call.windows)
    return Op(
        name=at.name,
        block=at.block,
        branch=at.branch,
        producers=at.producers,
        kind="conv" if call.is_conv else "linear",
        sizes=sizes,
        geometry=_geometry(call),
        a=activation(a, events),
        b=weight,
        work=work(a, macs, whole(fanout), effective),
        activity=_activity(call) if at.with_activity else None,
    )


def _activity(call: LayerCall) -> Activity:
    seen = activity(_columns(call))
    if not call.at.with_tiles:
        return seen
    if call.values.kind == "real":
        return replace(seen, tiles=NO_TILES)
    # sample by sample: an unrolled input is as many times as large as the kernel has taps
    each = (tiles(unrolled(x, call.weight, call.convolution)) for x in _steps(call).split(1, dim=1))
    spikes, left, emptied, searched = map(sum, zip(*each, strict=True))
    return replace(seen, tiles=(spikes, left, emptied, searched))


def _steps(call: LayerCall) -> Tensor:
    """The input as [T, B, ...]."""
    return call.x.unflatten(0, (call.steps, -1))


def _columns(call: LayerCall) -> Tensor:
    """The input as [T, B, columns, rows]: channels by positions or tokens."""
    if call.is_conv:
        return _steps(call).flatten(3)
    return _steps(call).flatten(2, -2).mT if call.x.ndim > 2 else _steps(call).unsqueeze(-1)


def _weight(call: LayerCall) -> tuple[Second, Tensor]:
    """The weight as B of an Op, and its nonzeros by input channel and tap, [C, kernel ...]."""
    given = call.weight.detach()
    if int(torch.count_nonzero(given)) == given.numel():
        held = torch.ones((), device=given.device).expand(given.shape)
    else:
        held = given.to(torch.bool).float()  # sums of fewer than 2^24 are exact
    groups = call.convolution.groups
    if call.convolution.transposed:  # [in, out / groups, kernel ...]
        by_tap = held.sum(1)
        by_input = by_tap.flatten(1).sum(1)
        by_output = held.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
        column = by_output.sum(1)
    else:
        by_tap = by_input = held.unflatten(0, (groups, -1)).sum(1).flatten(0, 1)
        by_output = held
        column = held.flatten(1).sum(1)
    some = held.numel() > 0
    nonzeros = whole(by_tap) if some else 0
    patterned = (2, 4, 8) if nonzeros < held.numel() else ()
    weight = Second(
        kind="weight",
        bits=call.weight_bits,
        size=held.numel(),
        nonzeros=nonzeros,
        row_max=int(by_input.max()) if some else 0,
        column_max=int(column.max()) if some else 0,
        **{f"max_of_{inputs}": _most_of(inputs, by_output) for inputs in patterned},
    )
    return weight, by_tap


def _most_of(inputs: int, held: Tensor) -> int:
    """The most nonzeros among so many consecutive inputs of an output; see `Second.max_of_2`."""
    if held.shape[1] % inputs:
        return inputs
    return int(held.unflatten(1, (-1, inputs)).sum(2).max())


def _sizes(call: LayerCall) -> Sizes:
    groups, shape = call.convolution.groups, call.weight.shape
    if call.convolution.transposed:
        positions, k = call.x.shape[2:], shape[0] // groups
        n = math.prod(shape[1:])
    else:
        positions = call.out.shape[2:] if call.is_conv else call.out.shape[1:-1]
        k, n = math.prod(shape[1:]), shape[0] // groups
    return Sizes(
        m=math.prod(positions) * call.windows, k=k, n=n, groups=groups, time_steps=call.steps
    )


def _synaptic_operations(call: LayerCall, by_tap: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Events, fan-out and effective synaptic operations, each [T, B] in float64."""
    samples = len(call.x) // (call.steps * call.windows)
    if call.values.kind == "real":
        nothing = torch.zeros(call.steps, samples, dtype=torch.float64)
        return nothing, nothing, nothing
    shape = (call.steps, samples, call.windows)
    width = call.weight.shape[1] if call.convolution.transposed else _sizes(call).n
    x = spikes(_steps(call), call.values).flatten(0, 1)
    if not _pointwise(call):
        events, reached = _reached(call, x)
    elif call.is_conv:
        events = reached = x.flatten(2).sum(2)
    else:
        events = reached = x.flatten(1, -2).sum(1) if x.ndim > 2 else x
    rows = events.double().sum(1), reached.double().flatten(1)
    counts = rows[0], rows[1].sum(1) * width, rows[1] @ by_tap.double().flatten()
    first, second, third = (count.reshape(shape).sum(2) for count in counts)
    return first, second, third


def _reached(call: LayerCall, x: Tensor) -> tuple[Tensor, Tensor]:
    """Events by channel, and those that reach an output through a tap of the kernel.

    [T B, C] and [T B, C, taps]. Tap i of a dimension meets the inputs
    ``o * stride + i * dilation - padding`` that are there for an output o; what falls off the
    image reaches nothing. Which positions a tap meets is a column of 0 and 1, so that one matrix
    product adds up the events of all taps.
    """
    met = torch.ones(1, 1, dtype=torch.float64)
    for axis in range(call.weight.ndim - 2):
        met = torch.kron(met, _met(call, axis))
    met = torch.cat([torch.ones(len(met), 1, dtype=met.dtype), met], 1)
    # Some processors round the factors of a product of float32, which 0 and 1 survive.
    x = x if is_one_bit(call.values) else x.double()
    sums = x.flatten(2) @ met.to(x)
    return sums[..., 0], sums[..., 1:]


def _met(call: LayerCall, axis: int) -> Tensor:
    """Which positions of an axis, [length, taps], each tap of the kernel meets."""
    met = torch.zeros(call.x.shape[2 + axis], call.weight.shape[2 + axis], dtype=torch.float64)
    for tap, part in enumerate(_taps(call, axis)):
        met[part, tap] = 1
    return met


def _taps(call: LayerCall, axis: int) -> Iterator[slice]:
    """The part of an input axis that each tap of the kernel meets."""
    length, outputs = call.x.shape[2 + axis], call.out.shape[2 + axis]
    walk = call.convolution
    stride, dilation, padding = (x[axis] for x in (walk.stride, walk.dilation, walk.padding))
    for tap in range(call.weight.shape[2 + axis]):
        offset = tap * dilation - padding
        if walk.transposed:  # the inputs i whose output i * stride + offset is there
            first = max(0, -(offset // stride))
            yield slice(first, max(first, (outputs - 1 - offset) // stride + 1))
            continue
        first = max(0, -(offset // stride))  # the first output whose input is there
        last = min(outputs - 1, (length - 1 - offset) // stride)
        start = first * stride + offset
        yield slice(start, max(start, last * stride + offset + 1), stride)


def _pointwise(call: LayerCall) -> bool:
    sizes = (*call.weight.shape[2:], *call.convolution.stride)
    one = all(size == 1 for size in sizes) and not any(call.convolution.padding)
    return not call.is_conv or one


def _geometry(call: LayerCall) -> Geometry | None:
    if not call.is_conv:
        return None
    return Geometry(
        kernel=tuple(call.weight.shape[2:]),
        stride=call.convolution.stride,
        padding=call.convolution.padding,
        dilation=call.convolution.dilation,
        in_size=tuple(call.x.shape[2:]),
        out_size=tuple(call.out.shape[2:]),
    )
