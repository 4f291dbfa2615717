"""Masks and sums of spikes of any class, against a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autoprune.workload.census.activity import activity
from autoprune.workload.census.logic import count_mask, count_sum
from autoprune.workload.census.operand import Operand
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import examine

RANGES = {"binary": (0, 1), "ternary": (-1, 1), "integer": (-3, 3)}


@st.composite
def spikes(draw) -> torch.Tensor:
    """[T, 2, 3, R] of one class."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    shape = (draw(st.integers(1, 3)), 2, 3, draw(st.integers(1, 9)))
    low, high = RANGES[draw(st.sampled_from(list(RANGES)))]
    held = torch.rand(shape, generator=generator) < 0.5
    return (torch.randint(low, high + 1, shape, generator=generator) * held).float()


AT = Site(name="x", block=None, branch="")


@settings(derandomize=True)
@given(spikes(), st.sampled_from(list(RANGES)), st.booleans(), st.integers(0, 1000))
def test_a_mask_equals_the_loop(a, kind, repeated, seed):
    generator, (low, high) = torch.Generator().manual_seed(seed), RANGES[kind]
    shape = (*a.shape[:3], 1) if repeated else a.shape
    b = torch.randint(low, high + 1, shape, generator=generator).float()
    full = b.expand_as(a)
    second = Operand(full, examine(b))
    op = count_mask(AT, Operand(a, examine(a)), second, a.numel() // b.numel())
    passed = np.zeros(a.shape[:2])
    for (t, s, *_), x, y in zip(np.ndindex(a.shape), a.flatten(), full.flatten(), strict=True):
        passed[t, s] += abs(int(x)) * (y != 0)
    assert op.work.effective_sops_per_step == tuple(passed.sum(1))
    assert op.work.effective_sops_std == pytest.approx(passed.sum(0).std())
    events = a.abs().sum((2, 3)).numpy()
    assert op.work.fanout_sops == op.a.events == events.sum()
    assert op.a.events_per_step == tuple(events.sum(1))
    assert op.a.events_std == pytest.approx(events.sum(0).std())
    assert op.a.nonzeros_per_step == tuple((a != 0).sum((1, 2, 3)).tolist())
    assert (op.b.size, op.b.nonzeros) == (b.numel(), int((b != 0).sum()))
    assert op.b.events == int(b.abs().sum())
    assert (op.kind, op.sizes.m, op.sizes.k, op.sizes.n) == ("masking", a[0, 0].numel(), 1, 1)
    assert (op.work.dense_macs, op.a.kind) == (0, examine(a).kind)
    assert op.activity == activity(a.reshape(*a.shape[:2], 1, -1))


@settings(derandomize=True)
@given(spikes())
def test_a_sum_equals_the_loop(a):
    op = count_sum(AT, Operand(a, examine(a)))
    assert (op.kind, op.sizes.m, op.sizes.k) == ("sum", a.shape[3], 3)
    assert op.work.effective_sops == op.work.fanout_sops == op.a.events == int(a.abs().sum())
    assert op.a.nonzeros == int((a != 0).sum())
    assert (op.b.size, op.b.nonzeros, op.b.events, op.b.kind) == (0, 0, 0, "weight")
    assert op.activity == activity(a)
