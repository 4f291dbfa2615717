"""Count a convolution or a linear layer: what it read and what it multiplied."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as nn_functional

from autoprune.census.activity import deviation, operand_class, per_step, whole
from autoprune.workload import Geometry, Op

_CONV: dict[int, Callable[..., Tensor]] = {3: nn_functional.conv1d, 4: nn_functional.conv2d}


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
        a_size=x.numel(),
        a_nonzeros=int(torch.count_nonzero(x)),
        a_events=whole(events),
        b_size=call.weight.numel(),
        b_nonzeros=int(torch.count_nonzero(call.weight)),
        events_per_step=per_step(events),
        dense_macs=dense,
        fanout_sops=whole(fanout),
        effective_sops=whole(effective),
        effective_sops_per_step=per_step(effective),
        effective_sops_std=deviation(effective),
        real_macs=dense if kind == "real" else 0,
        norm_folded=call.norm_folded,
        producers=call.producers,
    )


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
    x, steps = call.x, call.steps
    if real:
        nothing = torch.zeros(steps, len(x) // steps, dtype=torch.float64)
        return nothing, nothing, nothing
    x = x.double()
    events = x.flatten(1).sum(1)
    connected = (call.weight.detach() != 0).double()
    dense = _reached(call, x, torch.ones_like(connected))
    effective = _reached(call, x, connected)
    shape = (steps, -1)
    return events.reshape(shape), dense.reshape(shape), effective.reshape(shape)


def _reached(call: LayerCall, x: Tensor, connected: Tensor) -> Tensor:
    """Synaptic operations per row of `x`: events times the synapses that each one reaches.

    Summing the connections over a group's output channels first leaves one small kernel per
    group, whose convolution with the events counts them at every border and stride.
    """
    if not call.is_conv:
        return x.reshape(len(x), -1, x.shape[-1]).sum(1) @ connected.sum(0)
    kernel = connected.unflatten(0, (call.groups, -1)).sum(1)
    if _pointwise(call):
        return x.flatten(2).sum(2) @ kernel.flatten()
    counts = _CONV[x.ndim](
        x,
        kernel,
        stride=call.stride,
        padding=call.padding,
        dilation=call.dilation,
        groups=call.groups,
    )
    return counts.flatten(1).sum(1)


def _pointwise(call: LayerCall) -> bool:
    sizes = (*call.weight.shape[2:], *call.stride)
    return all(size == 1 for size in sizes) and not any(call.padding)


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
