"""Count a convolution or a linear layer: what it read, what it multiplied, what it drove."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as nn_functional

from autoprune.census.activity import deviation, operand_class, per_step, whole
from autoprune.models.adapter import Synapses
from autoprune.workload import Geometry, Op

_CONV: dict[int, Callable[..., Tensor]] = {3: nn_functional.conv1d, 4: nn_functional.conv2d}


def count_layer(site: Synapses, x: Tensor, out: Tensor, output_spikes: int) -> Op:
    """The Op of one layer.

    Args:
        site: the layer.
        x: its input, time and batch flattened: [T B, C, ...], or [T B, C] of a linear layer.
        out: its output, before batch norm.
        output_spikes: spikes of the neurons behind it.

    A neuron update is active where the layer's product is not zero. Events are exact at borders
    and strides: what falls off the image reaches nothing.
    """
    module, steps = site.module, site.repeats
    samples = len(x) // steps
    kind = "real" if site.real_input else operand_class(x)
    events, fanout, effective = _synaptic_operations(module, x, steps, real=kind == "real")
    sizes = _sizes(module, out)
    dense = math.prod(sizes.values()) * len(x)
    neurons = math.prod(out.shape[1:]) if site.neuron is not None else 0
    bias = 0 if module.bias is None else module.bias.reshape(-1, *[1] * (out.ndim - 2))
    active = int(torch.count_nonzero(out - bias)) if neurons else 0
    return Op(
        name=site.name,
        kind="linear" if isinstance(module, nn.Linear) else "conv",
        block=site.block,
        branch=site.branch,
        **sizes,
        time_steps=steps,
        geometry=_geometry(module, x, out),
        a_class=kind,
        b_class="weight",
        a_size=x.numel(),
        a_nonzeros=int(torch.count_nonzero(x)),
        a_events=whole(events),
        b_size=module.weight.numel(),
        b_nonzeros=int(torch.count_nonzero(module.weight)),
        events_per_step=per_step(events),
        dense_macs=dense,
        fanout_sops=whole(fanout),
        effective_sops=whole(effective),
        effective_sops_per_step=per_step(effective),
        effective_sops_std=deviation(effective),
        real_macs=dense if kind == "real" else 0,
        norm_folded=site.norm is not None,
        neurons=neurons,
        updates_active=active,
        updates_inactive=steps * samples * neurons - active,
        output_spikes=output_spikes,
        producers=site.producers,
    )


def _sizes(module: nn.Module, out: Tensor) -> dict[str, Any]:
    """M, K, N and groups of the layer's matrix product."""
    weight: Any = module.weight
    groups = getattr(module, "groups", 1)
    return {
        "m": math.prod(out.shape[2:]),
        "k": math.prod(weight.shape[1:]),
        "n": weight.shape[0] // groups,
        "groups": groups,
    }


def _synaptic_operations(
    module: nn.Linear | nn.Conv1d | nn.Conv2d, x: Tensor, steps: int, *, real: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Events, fan-out and effective synaptic operations, each [T, B] in float64."""
    if real:
        nothing = torch.zeros(steps, len(x) // steps, dtype=torch.float64)
        return nothing, nothing, nothing
    x = x.double()
    events = x.flatten(1).sum(1)
    connected = (module.weight.detach() != 0).double()
    dense = _reached(module, x, torch.ones_like(connected))
    effective = _reached(module, x, connected)
    shape = (steps, -1)
    return events.reshape(shape), dense.reshape(shape), effective.reshape(shape)


def _reached(module: nn.Module, x: Tensor, connected: Tensor) -> Tensor:
    """Synaptic operations per row of `x`: events times the synapses that each one reaches.

    Summing the connections over a group's output channels first leaves one small kernel per
    group, whose convolution with the events counts them at every border and stride.
    """
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        kernel = connected.unflatten(0, (module.groups, -1)).sum(1)
        if _pointwise(module):
            per_channel = kernel.flatten()
            return x.flatten(2).sum(2) @ per_channel
        counts = _CONV[x.ndim](
            x,
            kernel,
            stride=module.stride,
            padding=module.padding,
            dilation=module.dilation,
            groups=module.groups,
        )
        return counts.flatten(1).sum(1)
    return x.flatten(1, -2).sum(1) @ connected.sum(0) if x.ndim > 2 else x @ connected.sum(0)


def _pointwise(module: nn.Conv1d | nn.Conv2d) -> bool:
    sizes = (*module.kernel_size, *module.stride)
    return all(size == 1 for size in sizes) and not any(_padding(module))


def _padding(module: nn.Conv1d | nn.Conv2d) -> tuple[int, ...]:
    if isinstance(module.padding, str):
        spans = zip(module.kernel_size, module.dilation, strict=True)
        return tuple(d * (k - 1) // 2 if module.padding == "same" else 0 for k, d in spans)
    return tuple(module.padding)


def _geometry(module: nn.Module, x: Tensor, out: Tensor) -> Geometry | None:
    if not isinstance(module, nn.Conv1d | nn.Conv2d):
        return None
    return Geometry(
        kernel=tuple(module.kernel_size),
        stride=tuple(module.stride),
        padding=_padding(module),
        dilation=tuple(module.dilation),
        in_size=tuple(x.shape[2:]),
        out_size=tuple(out.shape[2:]),
    )
