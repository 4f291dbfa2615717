"""Counts of attention products, in both orders, against loops and spikingjelly's counter."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import op_counter
from torch import nn

from autoprune.census.attention import count_attention
from autoprune.errors import CountingError
from autoprune.models.adapter import Attention


def site(heads: int) -> Attention:
    return Attention(
        name="a",
        block=0,
        source=nn.Identity(),
        source_name="qkv",
        heads=heads,
        neuron=nn.Identity(),
    )


def products(a: torch.Tensor, b: torch.Tensor) -> tuple[int, int, int]:
    """Coincidences, events of `a` times the columns of `b`, and MACs of ``a @ b``, by a loop."""
    coincidences = one_sided = macs = 0
    for i, j, k in itertools.product(range(a.shape[0]), range(b.shape[1]), range(a.shape[1])):
        macs += 1
        one_sided += int(a[i, k] != 0)
        coincidences += int(a[i, k] != 0 and b[k, j] != 0)
    return coincidences, one_sided, macs


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    steps=st.integers(1, 2),
    heads=st.integers(1, 2),
    d=st.integers(1, 3),
    tokens=st.integers(1, 4),
    density=st.sampled_from([0.2, 0.6]),
    seed=st.integers(0, 1000),
)
def test_counts_equal_the_loop(steps, heads, d, tokens, density, seed):
    generator = torch.Generator().manual_seed(seed)
    qkv = (torch.rand(steps, 2, 3 * heads * d, tokens, generator=generator) < density).float()
    ops = {(op.name[-1], op.order): op for op in count_attention(site(heads), qkv, 1, 3)}
    expected = {key: [0, 0, 0] for key in ops}
    per_step = {key: [0] * steps for key in ops}
    for t, s, h in itertools.product(range(steps), range(2), range(heads)):
        q, k, v = qkv[t, s].reshape(3, heads, d, tokens)[:, h]
        pairs = {
            ("1", "executed"): (v, k.T),
            ("2", "executed"): (q.T, (v @ k.T).T),
            ("1", "published"): (q.T, k),
            ("2", "published"): (v, (q.T @ k).T),
        }
        for key, (a, b) in pairs.items():
            found = products(a, b)
            per_step[key][t] += found[0]
            for i in range(3):
                expected[key][i] += found[i]
    for key, op in ops.items():
        assert [op.effective_sops, op.fanout_sops, op.dense_macs] == expected[key]
        assert list(op.effective_sops_per_step) == per_step[key]
        assert op.neurons == (heads * d * tokens if key[0] == "2" else 0)
    # Both orders compute the same attention; only the number of operations differs.
    q, k, v = qkv.reshape(steps, 2, 3, heads, d, tokens).unbind(2)
    assert torch.equal((v @ k.mT) @ q, ((q.mT @ k) @ v.mT).mT)


def test_executed_order_equals_spikingjelly_counter():
    """spikingjelly 2.0: coincidences where both operands are binary, else nonzeros x fan-out."""
    generator = torch.Generator().manual_seed(1)
    qkv = (torch.rand(3, 2, 3 * 2 * 8, 16, generator=generator) < 0.4).float()
    q, k, v = qkv.reshape(3, 2, 3, 2, 8, 16).unbind(2)
    counter = op_counter.SynOpCounter()
    with torch.no_grad(), op_counter.DispatchCounterMode([counter]):
        (v @ k.mT) @ q
    first, second, *_ = count_attention(site(2), qkv, 0, 0)
    assert counter.get_total() == first.effective_sops + second.fanout_sops


def test_values_that_are_no_spikes_are_refused():
    with pytest.raises(CountingError, match="not binary"):
        list(count_attention(site(1), torch.rand(1, 1, 3, 2), 0, 0))
