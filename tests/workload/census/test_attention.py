"""Counts of attention products, in both orders, against loops and spikingjelly's counter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikingjelly.activation_based import op_counter

from autoprune.workload.census.activity import activity
from autoprune.workload.census.attention import contracts_tokens, count_chain, count_product
from autoprune.workload.census.operand import RANKS, Operand
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import examine


def place(name: str) -> Site:
    return Site(name=name, block=0, branch="attention")


def operand(x: torch.Tensor) -> Operand:
    return Operand(x, examine(x))


def count(a: torch.Tensor, b: torch.Tensor):
    return count_product(place("product1"), operand(a), operand(b))


def chain(a, b, c, *, on_right: bool, scores_first: bool = False):
    sites = place("product1"), place("product2")
    *factors, done = (operand(x) for x in (a, b, c, a @ b))
    pairs = count_chain(sites, factors, done, on_right=on_right, scores_first=scores_first)
    return {(op.name[-1], op.order): op for pair in pairs for op in pair}


def products(a: torch.Tensor, b: torch.Tensor) -> tuple[int, int, int]:
    """Coincidences, events of `a` times the columns of `b`, and MACs of ``a @ b``, by a loop."""
    coincidences = one_sided = macs = 0
    for i, j, k in itertools.product(range(a.shape[0]), range(b.shape[1]), range(a.shape[1])):
        macs += 1
        events = abs(int(a[i, k]))
        one_sided += events
        coincidences += events * int(b[k, j] != 0)
    return coincidences, one_sided, macs


RANGES = {"binary": (0, 1), "ternary": (-1, 1), "integer": (-3, 3)}


@settings(derandomize=True)
@given(
    steps=st.integers(1, 3),
    heads=st.integers(1, 2),
    sizes=st.tuples(*[st.integers(1, 9)] * 3),
    kinds=st.tuples(*[st.sampled_from(list(RANGES))] * 2),
    density=st.sampled_from([0.1, 0.6]),
    seed=st.integers(0, 1000),
)
def test_a_product_of_spikes_of_any_class_equals_the_loop(
    steps, heads, sizes, kinds, density, seed
):
    generator, (m, k, n) = torch.Generator().manual_seed(seed), sizes
    a, b = (
        torch.randint(low, high + 1, (steps, 2, heads, *shape), generator=generator)
        * (torch.rand(steps, 2, heads, *shape, generator=generator) < density)
        for (low, high), shape in zip((RANGES[x] for x in kinds), ((m, k), (k, n)), strict=True)
    )
    op = count(a.float(), b.float())
    if RANKS.index(examine(b.float()).kind) < RANKS.index(examine(a.float()).kind):
        a, b, m, n = b.mT, a.mT, n, m  # the lower class selects
    counted = np.zeros((steps, 2, 3), dtype=int)
    for t, s, h in itertools.product(range(steps), range(2), range(heads)):
        counted[t, s] += products(a[t, s, h], b[t, s, h])
    coincidences, one_sided, macs = counted.transpose(2, 0, 1)
    assert op.work.effective_sops_per_step == tuple(coincidences.sum(1))
    assert op.work.effective_sops_std == pytest.approx(coincidences.sum(0).std())
    assert (op.work.effective_sops, op.work.fanout_sops) == (coincidences.sum(), one_sided.sum())
    assert (op.work.dense_macs, op.work.real_macs) == (macs.sum(), 0)
    assert op.a.events_per_step == tuple(one_sided.sum(1) // n)
    assert op.a.events_std == pytest.approx((one_sided // n).sum(0).std())
    assert op.a.nonzeros_per_step == tuple(sum(v != 0 for v in x.flatten().tolist()) for x in a)
    assert op.b.nonzeros == sum(v != 0 for v in b.flatten().tolist())
    assert op.b.events == sum(map(abs, b.flatten().tolist()))
    assert (op.a.size, op.b.size) == (a.numel(), b.numel())
    assert (op.b.row_max, op.b.column_max) == (0, 0)
    for x, kind, bits in ((a, op.a.kind, op.a.bits), (b, op.b.kind, op.b.bits)):
        held = set(x.flatten().tolist())
        expected = (
            {1: "binary", 2: "ternary"}.get(1 + (min(held) < 0))
            if (max(map(abs, held)) <= 1)
            else "integer"
        )
        assert kind == expected
        sign = int(kind == "integer" and min(held) < 0)
        assert bits == {"binary": 1, "ternary": 2}.get(kind, 2 + sign)
    rows, columns = a.mT.flatten(2, 3).float(), (m, heads * k)
    assert op.activity == activity(rows)
    assert op.activity.groups == tuple(
        -(-columns[0] // g) * columns[1] * steps * 2 for g in (8, 32)
    )


@settings(max_examples=20, derandomize=True)
@given(
    steps=st.integers(1, 2),
    heads=st.integers(1, 2),
    d=st.integers(1, 3),
    tokens=st.integers(1, 4),
    density=st.sampled_from([0.2, 0.6]),
    seed=st.integers(0, 1000),
    code=st.sampled_from(["(v k) q", "q (k v)", "(q k) v", "v (k q)"]),
)
def test_counts_equal_the_loop(steps, heads, d, tokens, density, seed, code):
    """Spikformer, MaxFormer, and scores of tokens with tokens first, as the papers publish."""
    generator = torch.Generator().manual_seed(seed)
    qkv = (torch.rand(steps, 2, 3 * heads * d, tokens, generator=generator) < density).float()
    q, k, v = qkv.reshape(steps, 2, 3, heads, d, tokens).unbind(2)
    ops = {
        "(v k) q": lambda: chain(v, k.mT, q, on_right=True),
        "q (k v)": lambda: chain(k, v.mT, q.mT, on_right=False),
        "(q k) v": lambda: chain(q.mT, k, v.mT, on_right=True, scores_first=True),
        "v (k q)": lambda: chain(k.mT, q, v, on_right=False, scores_first=True),
    }[code]()
    expected = {key: [0, 0, 0] for key in ops}
    per_step = {key: [0] * steps for key in ops}
    for t, s, h in itertools.product(range(steps), range(2), range(heads)):
        q, k, v = qkv[t, s].reshape(3, heads, d, tokens)[:, h]
        pairs = {("1", "published"): (q.T, k), ("2", "published"): (v, (q.T @ k).T)}
        if code == "(v k) q":
            pairs |= {("1", "executed"): (v, k.T), ("2", "executed"): (q.T, (v @ k.T).T)}
        elif code == "q (k v)":
            pairs |= {("1", "executed"): (k, v.T), ("2", "executed"): (q.T, k @ v.T)}
        else:
            pairs |= {(n, "executed"): pairs[n, "published"] for n in "12"}
            if code == "v (k q)":
                pairs["1", "executed"] = (k.T, q)
        for key, (a, b) in pairs.items():
            found = products(a, b)
            per_step[key][t] += found[0]
            for i in range(3):
                expected[key][i] += found[i]
    first, second = ops["1", "executed"], ops["2", "executed"]
    assert (first.a.kind, first.b.kind, second.a.kind) == ("binary",) * 3
    assert second.b.events == ops["1", "executed"].work.effective_sops
    for key, op in ops.items():
        assert [op.work.effective_sops, op.work.fanout_sops, op.work.dense_macs] == expected[key]
        assert list(op.work.effective_sops_per_step) == per_step[key]
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
    ops = chain(v, k.mT, q, on_right=True)
    first, second = ops["1", "executed"], ops["2", "executed"]
    assert counter.get_total() == first.work.effective_sops + second.work.fanout_sops


def test_real_operands_make_macs():
    a, b = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 5, 6)
    op = count(a, b)
    assert (op.a.kind, op.b.kind, op.order) == ("real", "real", "both")
    assert op.work.real_macs == op.work.dense_macs == 2 * 3 * 4 * 5 * 6
    assert (op.a.events, op.work.effective_sops, op.work.fanout_sops) == (0, 0, 0)


def test_spikes_select_real_numbers_on_whichever_side_they_stand():
    a, b = torch.rand(2, 3, 4, 5), (torch.rand(2, 3, 5, 6) < 0.5).float()
    a[:, 0, 1] = 0
    op = count(a, b)
    assert op == count(b.mT, a.mT)
    assert (op.a.kind, op.b.kind, op.work.real_macs) == ("binary", "real", 0)
    assert op.a.events == int(b.sum())
    assert op.work.fanout_sops == 4 * int(b.sum())
    assert op.work.effective_sops == int(((a != 0).float() @ b).sum()) < op.work.fanout_sops


@pytest.mark.parametrize(
    ("rows", "summed", "channels", "expected"),
    [(3, 5, None, True), (5, 3, None, False), (5, 5, -2, True), (5, 5, -1, False)],
)
def test_which_axis_holds_the_tokens(rows, summed, channels, expected):
    """Where the channels lie tells, and where that is not known, how many tokens there are."""
    assert contracts_tokens(torch.zeros(1, 1, rows, summed), 5, channels) == expected
