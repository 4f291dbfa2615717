"""Count a convolution or a linear layer: what it read and what it multiplied."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autoprune.census.activity import bits, deviation, operand_class, per_step, whole
from autoprune.op import Geometry, Op


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCall:
    """One call of a linear layer or a convolution.

    Attributes:
        name, block, branch, producers: as in `autoprune.workload.Op`.
        x: the input with time and batch as one first axis: [T B, C, ...] of a convolution,
            [T B, ..., C] of a linear layer.
        weight: [out, in] or [out, in / groups, kernel ...].
        out: the output of the same kind, before any norm.
        steps: time steps that the first axis holds.
        real: whether `x` holds real numbers by construction; else its class is read off the data.
        norm_folded: whether a batch norm stands behind the layer.
        weight_bits: bits to which the weights were rounded; 32 as they were trained.
        stride, padding, dilation, groups: of a convolution, one entry per dimension.
    """

    name: str
    block: int | None
    branch: str
    producers: tuple[str, ...]
    x: Tensor
    weight: Tensor
    out: Tensor
    steps: int
    real: bool
    norm_folded: bool
    weight_bits: int = 32
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1

    @property
    def is_conv(self) -> bool:
        """Whether it is a convolution."""
        return self.weight.ndim > 2


def count_layer(call: LayerCall) -> Op:
    """The Op of one call, without neurons.

    Events are exact at borders and strides: what falls off the image reaches nothing.
    """
    x, steps = call.x, call.steps
    kind = "real" if call.real else operand_class(x)
    events, fanout, effective = _synaptic_operations(call, real=kind == "real")
    sizes = _sizes(call)
    nonzeros = per_step(events if kind == "binary" else _nonzeros(x, steps))
    row_max, column_max = _fans(call.weight, call.groups)
    dense = math.prod(sizes.values()) * len(x)
    return Op(
        name=call.name,
        kind="conv" if call.is_conv else "linear",
        block=call.block,
        branch=call.branch,
        **sizes,
        time_steps=steps,
        geometry=_geometry(call),
        a_class=kind,
        b_class="weight",
        a_bits=bits(x, kind),
        b_bits=call.weight_bits,
        a_size=x.numel(),
        a_nonzeros=sum(nonzeros),
        a_events=whole(events),
        b_size=call.weight.numel(),
        b_nonzeros=int(torch.count_nonzero(call.weight)),
        b_row_max=row_max,
        b_column_max=column_max,
        events_per_step=per_step(events),
        nonzeros_per_step=nonzeros,
        a_events_std=deviation(events),
        dense_macs=dense,
        fanout_sops=whole(fanout),
        effective_sops=whole(effective),
        effective_sops_per_step=per_step(effective),
        effective_sops_std=deviation(effective),
        real_macs=dense if kind == "real" else 0,
        norm_folded=call.norm_folded,
        producers=call.producers,
    )


def _nonzeros(x: Tensor, steps: int) -> Tensor:
    return torch.count_nonzero(x.flatten(1), 1).reshape(steps, -1)


def _fans(weight: Tensor, groups: int) -> tuple[int, int]:
    """The most nonzero weights that an entry of the input has, and that an output has."""
    held = weight.detach() != 0
    rows = held.unflatten(0, (groups, -1)).sum(1)
    columns = held.flatten(1).sum(1)
    return (int(rows.max()), int(columns.max())) if weight.numel() else (0, 0)


def _sizes(call: LayerCall) -> dict[str, Any]:
    """M, K, N and groups of the layer's matrix product."""
    positions = call.out.shape[2:] if call.is_conv else call.out.shape[1:-1]
    return {
        "m": math.prod(positions),
        "k": math.prod(call.weight.shape[1:]),
        "n": call.weight.shape[0] // call.groups,
        "groups": call.groups,
    }


def _synaptic_operations(call: LayerCall, *, real: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Events, fan-out and effective synaptic operations, each [T, B] in float64."""
    x, shape = call.x, (call.steps, -1)
    if real:
        nothing = torch.zeros(call.steps, len(x) // call.steps, dtype=torch.float64)
        return nothing, nothing, nothing
    reached = _reached(call)
    outputs = len(call.weight) // call.groups
    connected = (call.weight.detach() != 0).unflatten(0, (call.groups, -1)).sum(1)
    events = reached if _pointwise(call) else _by_channel(call)
    return (
        events.double().flatten(1).sum(1).reshape(shape),
        (reached.double().flatten(1).sum(1) * outputs).reshape(shape),
        (reached.double().flatten(1) @ connected.double().flatten()).reshape(shape),
    )


def _by_channel(call: LayerCall) -> Tensor:
    """Events of every row and input channel, [T B, C]; whole numbers that float32 holds."""
    if call.is_conv:
        return call.x.flatten(2).sum(2)
    return call.x.reshape(len(call.x), -1, call.x.shape[-1]).sum(1)


def _reached(call: LayerCall) -> Tensor:
    """Events that reach an output through a tap of the kernel, [T B, C, kernel ...].

    Tap i of a dimension meets the inputs ``o * stride + i * dilation - padding`` that are there
    for an output o: a regular part of the axis, which is summed, one axis after the other. What
    falls off the image reaches nothing.
    """
    if not call.is_conv or _pointwise(call):
        return _by_channel(call)
    x, taken = call.x, 2
    for axis, size in enumerate(call.weight.shape[2:]):
        parts = [x[(*[slice(None)] * taken, part)].sum(taken) for part in _taps(call, axis, size)]
        x = torch.stack(parts, dim=2)  # the taps gather behind the channels, last axis first
        taken += 1
    return (
        x.flatten(2)
        .unflatten(2, tuple(reversed(call.weight.shape[2:])))
        .movedim(tuple(range(2, x.ndim)), tuple(reversed(range(2, x.ndim))))
    )


def _taps(call: LayerCall, axis: int, size: int) -> Iterator[slice]:
    """The part of an input axis that each tap of the kernel meets."""
    length, outputs = call.x.shape[2 + axis], call.out.shape[2 + axis]
    stride, dilation, padding = (part[axis] for part in (call.stride, call.dilation, call.padding))
    for tap in range(size):
        offset = tap * dilation - padding
        first = max(0, -(offset // stride))  # the first output whose input is there
        last = min(outputs - 1, (length - 1 - offset) // stride)
        start = first * stride + offset
        yield slice(start, max(start, last * stride + offset + 1), stride)


def _pointwise(call: LayerCall) -> bool:
    sizes = (*call.weight.shape[2:], *call.stride)
    return call.is_conv and all(size == 1 for size in sizes) and not any(call.padding)


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
