"""Counts of convolutions and linear layers against a loop over every single synapse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from autoprune.census.layers import LayerCall, count_layer
from autoprune.census.values import REAL, examine


def brute_force(module: nn.Module, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray, int]:
    """Fan-out and effective SOPs per row of x, and dense MACs, one synapse at a time."""
    weight = module.weight.detach().numpy()
    if isinstance(module, nn.Linear):
        weight, x = weight[:, :, None], x[:, :, None]
        kernel = stride = dilation = (1,)
        padding, groups = (0,), 1
    else:
        kernel, stride, dilation = module.kernel_size, module.stride, module.dilation
        padding, groups = module.padding, module.groups
    sizes = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(x.shape[2:], padding, dilation, kernel, stride, strict=True)
    ]
    x = x.numpy()
    fanout, effective = np.zeros(len(x)), np.zeros(len(x))
    outputs, inputs = weight.shape[:2]
    per_group = outputs // groups
    macs = 0
    for o, position in itertools.product(range(outputs), itertools.product(*map(range, sizes))):
        for i, tap in itertools.product(range(inputs), itertools.product(*map(range, kernel))):
            macs += len(x)
            place = [
                p * s - pad + t * d
                for p, s, pad, t, d in zip(position, stride, padding, tap, dilation, strict=True)
            ]
            if any(not 0 <= q < n for q, n in zip(place, x.shape[2:], strict=True)):
                continue
            channel = (o // per_group) * inputs + i
            events = x[(slice(None), channel, *place)]
            fanout += events
            effective += events * (weight[(o, i, *tap)] != 0)
    return fanout, effective, macs


@st.composite
def layers(draw) -> tuple[nn.Module, torch.Tensor, int]:
    """A random layer, an input of spike counts [steps x 2, ...], and the number of steps."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    steps = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 2]))
    dims = draw(st.sampled_from([0, 1, 2]))
    channels, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 3))
    highest = draw(st.sampled_from([1, 3]))
    bias = draw(st.booleans())
    if dims == 0:
        module: nn.Module = nn.Linear(channels, outputs, bias=bias)
        shape: tuple[int, ...] = (channels,)
    else:
        module = (nn.Conv1d, nn.Conv2d)[dims - 1](
            channels,
            outputs,
            kernel_size=draw(st.integers(1, 3)),
            stride=draw(st.integers(1, 2)),
            padding=draw(st.integers(0, 2)),
            dilation=draw(st.integers(1, 2)),
            groups=groups,
            bias=bias,
        )
        shape = (channels, *[draw(st.integers(5, 6)) for _ in range(dims)])
    zero = torch.rand(module.weight.shape, generator=generator) < draw(st.sampled_from([0.0, 0.7]))
    module.weight.data[zero] = 0
    x = torch.randint(0, highest + 1, (2 * steps, *shape), generator=generator)
    silent = torch.rand(x.shape, generator=generator) < 0.6
    return module, x.masked_fill(silent, 0).float(), steps


def call(module: nn.Module, x: torch.Tensor, steps: int, *, real: bool = False) -> LayerCall:
    geometry = {}
    if not isinstance(module, nn.Linear):
        keys = ("stride", "padding", "dilation", "groups")
        geometry = {key: getattr(module, key) for key in keys}
    return LayerCall(
        name="op",
        block=0,
        branch="mlp",
        producers=(),
        x=x,
        values=REAL if real else examine(x),
        weight=module.weight,
        out=module(x),
        steps=steps,
        **geometry,
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layers())
def test_counts_equal_the_loop(case):
    module, x, steps = case
    op = count_layer(call(module, x, steps))
    fanout, effective, macs = brute_force(module, x)
    assert op.fanout_sops == fanout.sum()
    assert op.effective_sops == effective.sum()
    assert op.effective_sops_per_step == tuple(effective.reshape(steps, 2).sum(1))
    assert op.effective_sops_std == pytest.approx(effective.reshape(steps, 2).sum(0).std())
    assert op.dense_macs == macs == 2 * steps * op.groups * op.m * op.k * op.n
    assert op.a_nonzeros == int((x != 0).sum())
    assert op.a_events == int(x.sum())
    assert op.events_per_step == tuple(x.reshape(steps, -1).sum(1).int().tolist())
    assert op.b_nonzeros == int((module.weight != 0).sum())
    assert op.real_macs == 0
    assert op.neurons == 0  # the neurons behind it are told later


def test_tokens_of_a_linear_layer_are_rows():
    module, x = nn.Linear(3, 2), (torch.rand(4, 5, 3) < 0.5).float()
    op = count_layer(call(module, x, 2))
    assert (op.m, op.k, op.n, op.dense_macs) == (5, 3, 2, 4 * 5 * 6)
    assert op.effective_sops == int(x.sum()) * 2


def test_real_input_makes_macs_and_no_synaptic_operation():
    module, x = nn.Conv2d(1, 3, 3, padding=1), torch.rand(4, 1, 5, 5)
    op = count_layer(call(module, x, 2))
    assert (op.a_class, op.real_macs, op.effective_sops) == ("real", 4 * 25 * 9 * 3, 0)


def test_layer_declared_real_is_real_even_where_its_input_is_silent():
    module, x = nn.Linear(3, 2), torch.zeros(4, 3)
    assert count_layer(call(module, x, 1, real=True)).real_macs == 4 * 6
