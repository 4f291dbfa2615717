"""Counts of convolutions and linear layers against a loop over every single synapse."""

from __future__ import annotations

import copy
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from autoprune.workload.census.functions import LINEAR, Convolution
from autoprune.workload.census.layers import Layer
from autoprune.workload.census.operand import Operand
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import REAL, examine


def brute_force(module: nn.Module, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray, int]:
    """Fan-out and effective SOPs per row of x, and dense MACs, one synapse at a time."""
    weight = module.weight.detach().numpy()
    if isinstance(module, nn.Linear):
        weight, x = weight[:, :, None], x.reshape(len(x), -1, x.shape[-1]).mT
        kernel = stride = dilation = (1,)
        padding, groups = (0,), 1
    else:
        kernel, stride, dilation = module.kernel_size, module.stride, module.dilation
        padding, groups = module.padding, module.groups
    sizes = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, p, d, k, s in zip(x.shape[2:], padding, dilation, kernel, stride, strict=True)
    ]
    x = x.abs().numpy()
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


def sparse(shape, density: float, generator: torch.Generator) -> torch.Tensor:
    """Ones at random places."""
    return (torch.rand(shape, generator=generator) < density).float()


@st.composite
def layers(draw) -> tuple[nn.Module, torch.Tensor, int]:
    """A random layer, spikes [steps x 2, ...] of one class, and the number of steps."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    steps = draw(st.sampled_from([1, 2, 3, 5]))
    groups = draw(st.sampled_from([1, 2]))
    dims = draw(st.sampled_from([0, 1, 2]))
    channels, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 3))
    bias = draw(st.booleans())
    if dims == 0:
        module: nn.Module = nn.Linear(channels, outputs, bias=bias)
        shape: tuple[int, ...] = (*draw(st.sampled_from([(), (1,), (9,)])), channels)
    else:

        def each(low: int, high: int) -> tuple[int, ...]:
            return tuple(draw(st.integers(low, high)) for _ in range(dims))

        module = (nn.Conv1d, nn.Conv2d)[dims - 1](
            channels,
            outputs,
            kernel_size=each(1, 3),
            stride=each(1, 3),
            padding=each(0, 2),
            dilation=each(1, 2),
            groups=groups,
            bias=bias,
        )
        shape = (channels, *each(5, 7))
    module.weight.data *= sparse(
        module.weight.shape, draw(st.sampled_from([0.0, 0.3, 1.0])), generator
    )
    x = sparse((2 * steps, *shape), draw(st.sampled_from([0.05, 0.4])), generator)
    low, high = draw(st.sampled_from([(1, 1), (-1, 1), (1, 3), (-300, 300)]))
    return module, x * torch.randint(low, high + 1, x.shape, generator=generator), steps


AT = Site(name="op", block=0, branch="mlp")


def counted(module: nn.Module, x: torch.Tensor, steps: int, *, real: bool = False, at: Site = AT):
    """The Op of one call on [T B, ...]."""
    convolution, values = LINEAR, REAL if real else examine(x)
    is_conv = not isinstance(module, nn.Linear)
    if is_conv:
        keys = ("stride", "padding", "dilation", "groups")
        convolution = Convolution(**{key: getattr(module, key) for key in keys})
    layer = Layer(module.weight.detach(), module(x).shape[2:] if is_conv else (), convolution)
    rows = x.flatten(1, -2) if not is_conv and x.ndim > 2 else x.unsqueeze(1)
    return layer.op(at, Operand(rows.unflatten(0, (steps, -1)), values))


@settings(derandomize=True)
@given(layers())
def test_synaptic_operations_equal_the_loop(case):
    module, x, steps = case
    op = counted(module, x, steps)
    fanout, effective, macs = brute_force(module, x)
    assert op.work.fanout_sops == fanout.sum()
    assert op.work.effective_sops == effective.sum()
    assert op.work.effective_sops_per_step == tuple(effective.reshape(steps, 2).sum(1))
    assert op.work.effective_sops_std == pytest.approx(effective.reshape(steps, 2).sum(0).std())
    assert (
        op.work.dense_macs
        == macs
        == 2 * steps * op.sizes.groups * op.sizes.m * op.sizes.k * op.sizes.n
    )
    assert op.work.real_macs == 0
    assert op.neurons.count == 0  # the neurons behind it are told later


@settings(derandomize=True)
@given(layers())
def test_figures_of_the_input_equal_the_loop(case):
    module, x, steps = case
    op = counted(module, x, steps)
    entries = [[float(v) for v in row.flatten()] for row in x]
    events = np.array([sum(abs(v) for v in row) for row in entries]).reshape(steps, 2)
    nonzeros = np.array([sum(v != 0 for v in row) for row in entries]).reshape(steps, 2)
    assert op.a.events == events.sum()
    assert op.a.events_per_step == tuple(events.sum(1))
    assert op.a.events_std == pytest.approx(events.sum(0).std())
    assert op.a.nonzeros == nonzeros.sum()
    assert op.a.nonzeros_per_step == tuple(nonzeros.sum(1))
    assert op.a.size == x.numel()
    held = {v for row in entries for v in row}
    if held <= {0, 1}:
        assert (op.a.kind, op.a.bits) == ("binary", 1)
    elif held <= {-1, 0, 1}:
        assert (op.a.kind, op.a.bits) == ("ternary", 2)
    else:
        largest, sign = max(map(abs, held)), any(v < 0 for v in held)
        assert op.a.kind == "integer"
        assert 2 ** (op.a.bits - sign - 1) <= largest < 2 ** (op.a.bits - sign)


@settings(derandomize=True)
@given(layers())
def test_figures_of_the_weights_equal_the_loop(case):
    """B is [K, N] per group: rows are what an input entry meets, columns what an output sums."""
    module, x, steps = case
    op = counted(module, x, steps)
    per_group = len(module.weight) // op.sizes.groups
    rows, columns = [], []
    for group in module.weight.detach().flatten(1).split(per_group):
        rows += [sum(float(out[k]) != 0 for out in group) for k in range(op.sizes.k)]
        columns += [sum(float(v) != 0 for v in out) for out in group]
    assert op.b.nonzeros == sum(rows) == sum(columns)
    assert (op.b.row_max, op.b.column_max) == (max(rows), max(columns))
    assert (op.b.size, op.b.bits) == (module.weight.numel(), 32)


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (nn.Linear(16, 3), torch.ones(4, 16)),
        (nn.Conv1d(12, 5, 1), torch.ones(4, 12, 2)),
        (nn.Conv2d(16, 4, 3, groups=2), torch.ones(4, 16, 4, 4)),
        (nn.Linear(6, 2), torch.ones(4, 6)),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_consecutive_inputs_equal_the_loop(module, x, share):
    """They are a convolution's channels at one tap."""
    module = copy.deepcopy(module)
    random = torch.rand(module.weight.shape, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        module.weight *= random >= share
    op = counted(module, x, 2)
    for inputs in (2, 4, 8):
        weight = module.weight.detach().unsqueeze(-1).flatten(2)
        most = inputs
        if weight.shape[1] % inputs == 0:
            most = max(
                sum(float(v) != 0 for v in output[start : start + inputs, tap])
                for output in weight
                for tap in range(weight.shape[2])
                for start in range(0, weight.shape[1], inputs)
            )
        assert getattr(op.b, f"max_of_{inputs}") == most


@settings(derandomize=True)
@given(layers())
def test_activity_equals_the_loop(case):
    """Columns are channels; rows are positions of the input, or the tokens of a linear layer."""
    module, x, steps = case
    figures = counted(module, x, steps).activity
    if isinstance(module, nn.Linear):
        tokens = x.reshape(len(x), -1, x.shape[-1])
        columns = [[[float(t[c]) for t in row] for c in range(x.shape[-1])] for row in tokens]
    else:
        columns = [[channel.flatten().tolist() for channel in row] for row in x]
    silent, windows, empty, groups = 0, [0] * 3, [0] * 2, [0] * 2
    for sample, c in itertools.product(range(2), range(len(columns[0]))):
        trains = list(zip(*(columns[2 * t + sample][c] for t in range(steps)), strict=True))
        silent += sum(not any(train) for train in trains)
        for i, size in enumerate((2, 4, 8)):
            starts = range(0, steps, size)
            windows[i] += sum(any(train[t : t + size]) for train in trains for t in starts)
    for row, c in itertools.product(columns, range(len(columns[0]))):
        for i, size in enumerate((8, 32)):
            parts = [row[c][r : r + size] for r in range(0, len(row[c]), size)]
            groups[i] += len(parts)
            empty[i] += sum(not any(part) for part in parts)
    assert figures.silent == silent
    assert list(figures.windows) == windows
    assert list(figures.empty_groups) == empty
    assert list(figures.groups) == groups


def test_activity_can_be_left_out():
    module, x = nn.Linear(3, 2), torch.ones(4, 3)
    with_it = counted(module, x, 2)
    quick = Site(name="op", block=0, branch="mlp", with_activity=False)
    without = counted(module, x, 2, at=quick)
    assert without == replace(with_it, activity=None) != with_it


def test_tokens_of_a_linear_layer_are_rows():
    module, x = nn.Linear(3, 2), (torch.rand(4, 5, 3) < 0.5).float()
    op = counted(module, x, 2)
    assert (op.sizes.m, op.sizes.k, op.sizes.n, op.work.dense_macs) == (5, 3, 2, 4 * 5 * 6)
    assert op.work.effective_sops == int(x.sum()) * 2


def test_real_input_makes_macs_and_no_synaptic_operation():
    module, x = nn.Conv2d(1, 3, 3, padding=1), torch.rand(4, 1, 5, 5)
    op = counted(module, x, 2)
    assert (op.a.kind, op.work.real_macs, op.work.effective_sops) == ("real", 4 * 25 * 9 * 3, 0)


def test_layer_declared_real_is_real_even_where_its_input_is_silent():
    module, x = nn.Linear(3, 2), torch.zeros(4, 3)
    assert counted(module, x, 1, real=True).work.real_macs == 4 * 6
