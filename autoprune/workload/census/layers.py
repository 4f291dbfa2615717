"""Count a convolution or a linear layer: what it read and what it multiplied."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autoprune.workload.census.activity import activity
from autoprune.workload.census.values import (
    Values,
    deviation,
    is_one_bit,
    ones,
    per_step,
    spikes,
    whole,
)
from autoprune.workload.op import Geometry, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCall:
    """One call of a linear layer or a convolution.

    Attributes:
        name, block, branch, producers: as in `autoprune.workload.op.Op`.
        x: the input with time and batch as one first axis: [T B, C, ...] of a convolution,
            [T B, ..., C] of a linear layer.
        values: what `x` holds.
        weight: [out, in] or [out, in / groups, kernel ...].
        out: the output of the same kind, before any norm.
        steps: time steps that the first axis holds.
        weight_bits: bits to which the weights were rounded; 32 as they were trained.
        with_activity: whether the figures of `autoprune.workload.op.Activity` are taken.
        stride, padding, dilation, groups: of a convolution, one entry per dimension.
    """

    name: str
    block: int | None
    branch: str
    producers: tuple[str, ...]
    x: Tensor
    values: Values
    weight: Tensor
    out: Tensor
    steps: int
    weight_bits: int = 32
    with_activity: bool = True
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1

    @property
    def is_conv(self) -> bool:
        """Whether it is a convolution."""
        return self.weight.ndim > 2


@dataclass(frozen=True, slots=True)
class _Fans:
    """Nonzero weights: of every input channel and tap [C, kernel ...], of the widest, of all."""

    by_tap: Tensor
    row_max: int
    column_max: int
    nonzeros: int


def count_layer(call: LayerCall) -> Op:
    """The Op of one call, without neurons.

    Events are exact at borders and strides: what falls off the image reaches nothing.
    """
    values = call.values
    fans, sizes = _fans(call), _sizes(call)
    events, fanout, effective = _synaptic_operations(call, fans)
    held = events if is_one_bit(values) else ones(_steps(call), values).flatten(2).sum(2)
    nonzeros = per_step(held)
    dense = math.prod(sizes.values()) * len(call.x)
    return Op(
        name=call.name,
        kind="conv" if call.is_conv else "linear",
        block=call.block,
        branch=call.branch,
        **sizes,
        time_steps=call.steps,
        geometry=_geometry(call),
        a_class=values.kind,
        b_class="weight",
        a_bits=values.bits,
        b_bits=call.weight_bits,
        a_size=call.x.numel(),
        a_nonzeros=sum(nonzeros),
        a_events=whole(events),
        b_size=call.weight.numel(),
        b_nonzeros=fans.nonzeros,
        b_row_max=fans.row_max,
        b_column_max=fans.column_max,
        events_per_step=per_step(events),
        nonzeros_per_step=nonzeros,
        a_events_std=deviation(events),
        dense_macs=dense,
        fanout_sops=whole(fanout),
        effective_sops=whole(effective),
        effective_sops_per_step=per_step(effective),
        effective_sops_std=deviation(effective),
        real_macs=dense if values.kind == "real" else 0,
        producers=call.producers,
        activity=activity(_columns(call)) if call.with_activity else None,
    )


def _steps(call: LayerCall) -> Tensor:
    """The input as [T, B, ...]."""
    return call.x.unflatten(0, (call.steps, -1))


def _columns(call: LayerCall) -> Tensor:
    """The input as [T, B, columns, rows]: channels by positions or tokens."""
    if call.is_conv:
        return _steps(call).flatten(3)
    return _steps(call).flatten(2, -2).mT if call.x.ndim > 2 else _steps(call).unsqueeze(-1)


def _fans(call: LayerCall) -> _Fans:
    held = call.weight.detach().to(torch.bool).float()  # sums of fewer than 2^24 are exact
    by_tap = held.unflatten(0, (call.groups, -1)).sum(1).flatten(0, 1)
    columns = held.flatten(1).sum(1)
    if not held.numel():
        return _Fans(by_tap, 0, 0, 0)
    return _Fans(by_tap, int(by_tap.max()), int(columns.max()), whole(by_tap))


def _sizes(call: LayerCall) -> dict[str, Any]:
    """M, K, N and groups of the layer's matrix product."""
    positions = call.out.shape[2:] if call.is_conv else call.out.shape[1:-1]
    return {
        "m": math.prod(positions),
        "k": math.prod(call.weight.shape[1:]),
        "n": call.weight.shape[0] // call.groups,
        "groups": call.groups,
    }


def _synaptic_operations(call: LayerCall, fans: _Fans) -> tuple[Tensor, Tensor, Tensor]:
    """Events, fan-out and effective synaptic operations, each [T, B] in float64."""
    shape = (call.steps, -1)
    if call.values.kind == "real":
        nothing = torch.zeros(call.steps, len(call.x) // call.steps, dtype=torch.float64)
        return nothing, nothing, nothing
    x = spikes(_steps(call), call.values).flatten(0, 1)
    if not _pointwise(call):
        events, reached = _reached(call, x)
    elif call.is_conv:
        events = reached = x.flatten(2).sum(2)
    else:
        events = reached = x.flatten(1, -2).sum(1) if x.ndim > 2 else x
    return (
        events.double().sum(1).reshape(shape),
        (reached.double().flatten(1).sum(1) * (len(call.weight) // call.groups)).reshape(shape),
        (reached.double().flatten(1) @ fans.by_tap.double().flatten()).reshape(shape),
    )


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
    stride, dilation, padding = (part[axis] for part in (call.stride, call.dilation, call.padding))
    for tap in range(call.weight.shape[2 + axis]):
        offset = tap * dilation - padding
        first = max(0, -(offset // stride))  # the first output whose input is there
        last = min(outputs - 1, (length - 1 - offset) // stride)
        start = first * stride + offset
        yield slice(start, max(start, last * stride + offset + 1), stride)


def _pointwise(call: LayerCall) -> bool:
    sizes = (*call.weight.shape[2:], *call.stride)
    return not call.is_conv or (all(size == 1 for size in sizes) and not any(call.padding))


def _geometry(call: LayerCall) -> Geometry | None:
    if not call.is_conv:
        return None
    return Geometry(
        kernel=tuple(call.weight.shape[2:]),
        stride=call.stride,
        padding=call.padding,
        dilation=call.dilation,
        in_size=tuple(call.x.shape[2:]),
        out_size=tuple(call.out.shape[2:]),
    )
