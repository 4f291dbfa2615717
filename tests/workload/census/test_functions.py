"""Whatever function multiplies: the same counts as the layer or product that it stands for."""

from __future__ import annotations

import itertools

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from autoprune.errors import CountingError
from autoprune.workload.census.activity import activity
from autoprune.workload.census.count import count

STEPS, HEADS, TOKENS, WIDTH = 3, 2, 5, 8


class Network(nn.Module):
    """Spikes q, k, v [T, B, heads, tokens, d], one attention, one layer; no family of ours."""

    def __init__(self, attend, last=None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.attend, self.last = STEPS, attend, last
        self.embed = nn.Linear(4, 3 * WIDTH)
        self.fire = neuron.LIFNode(v_threshold=0.2, step_mode="m")
        self.more = neuron.LIFNode(v_threshold=0.2, step_mode="s")
        self.out = nn.Linear(WIDTH, 6, bias=False)
        self.weight = nn.Parameter(torch.randn(WIDTH, 6))

    def forward(self, x: Tensor) -> Tensor:
        x = x.reshape(len(x), TOKENS, 4)
        spikes = self.fire(self.embed(x.expand(self.T, *x.shape)))
        q, k, v = spikes.unflatten(-1, (3, HEADS, -1)).permute(3, 0, 1, 4, 2, 5)
        out = self.attend(q, k, v)
        merged = q.transpose(2, 3).flatten(3)
        last = self.out(merged) if self.last is None else self.last(self, merged)
        return last.mean((0, 2)) + 0 * out.sum()


def counted(attend, last=None):
    network = Network(attend, last).eval()
    inputs = torch.randn(2, 1, TOKENS, 4, generator=torch.Generator().manual_seed(1))
    return count(network, None, inputs)


def plain(q, k, v):
    return q @ k.mT @ v


def products(workload) -> list[tuple[int, int, int]]:
    """Dense, fan-out and effective counts of the products of activations, executed ones."""
    return [
        (op.work.dense_macs, op.work.fanout_sops, op.work.effective_sops)
        for op in workload.select("executed")
        if op.kind == "attention_product"
    ]


def by_einsum(q, k, v):
    return torch.einsum("tbhij,tbhjd->tbhid", torch.einsum("tbhid,tbhjd->tbhij", q, k), v)


def by_bmm(q, k, v):
    q, k, v = (x.flatten(2, 3).flatten(0, 1) for x in (q, k, v))  # heads as further tokens
    return torch.bmm(torch.bmm(q, k.mT), v)


def test_products_count_alike_however_they_are_written():
    expected = products(counted(plain))
    assert len(expected) == 2
    assert all(effective > 0 for *_, effective in expected)
    assert products(counted(by_einsum)) == expected
    flat = products(counted(by_bmm))
    assert len(flat) == 2
    assert flat[0][0] == expected[0][0] * HEADS  # all heads' tokens with all heads' tokens
    assert not [item for item in counted(by_bmm).uncounted if item.dense_macs]


def test_heads_time_and_samples_may_be_one_axis():
    def attend(q, k, v):
        q, k, v = (x.flatten(0, 2) for x in (q, k, v))
        return torch.bmm(torch.bmm(q, k.mT), v)

    assert counted(attend).ops == counted(plain).ops


def test_samples_that_are_multiplied_with_each_other_are_refused():
    def attend(q, k, v):
        q, k, v = (x.transpose(1, 3).flatten(3) for x in (q, k, v))
        return q @ k.mT @ v

    with pytest.raises(CountingError, match="whose samples cannot be told apart"):
        counted(attend)


def test_a_product_with_a_parameter_is_a_layer():
    workload = counted(plain, lambda net, x: x @ net.weight)
    op = workload.ops[-1]
    assert (op.name, op.kind, op.sizes.m, op.sizes.k, op.sizes.n) == (
        "weight",
        "linear",
        TOKENS,
        WIDTH,
        6,
    )
    layer = counted(plain).ops[-1]
    assert (op.work.dense_macs, op.a.events, op.work.effective_sops) == (
        layer.work.dense_macs,
        layer.a.events,
        layer.work.effective_sops,
    )
    assert not [item for item in workload.uncounted if item.dense_macs]


def test_a_product_with_a_vector_is_a_layer_of_one_output():
    vector, matrix = (
        counted(plain, lambda net, x, at=at: net.more(x @ net.weight[:, at]))
        for at in (0, slice(0, 1))
    )
    assert vector.ops[-1].neurons is not None
    assert vector.ops == matrix.ops


def test_softmax_attention_multiplies_real_scores():
    workload = counted(scaled_dot_product_attention)
    scores, values = (op for op in workload.ops if op.kind == "attention_product")
    d = WIDTH // HEADS
    assert (
        scores.work.dense_macs == values.work.dense_macs == STEPS * 2 * HEADS * TOKENS * TOKENS * d
    )
    assert (scores.a.kind, scores.work.real_macs) == ("binary", 0)
    assert (values.a.kind, values.b.kind, values.work.real_macs) == ("binary", "real", 0)
    assert values.work.effective_sops == values.work.fanout_sops == values.a.events * TOKENS > 0
    causal = counted(lambda q, k, v: scaled_dot_product_attention(q, k, v, is_causal=True))
    assert causal.ops[1] == scores
    assert 0 < causal.ops[2].work.effective_sops < values.work.effective_sops


def by_loop(a: Tensor, b: Tensor) -> tuple[int, int]:
    """Coincidences and MACs of ``a @ b``, [T, B, heads, M, K] and [T, B, heads, K, N]."""
    coincidences = macs = 0
    for left, right in zip(a.flatten(0, 2).tolist(), b.mT.flatten(0, 2).tolist(), strict=True):
        for row, column in itertools.product(left, right):
            macs += len(row)
            coincidences += sum(x != 0 and y != 0 for x, y in zip(row, column, strict=True))
    return coincidences, macs


def test_einsum_and_softmax_attention_equal_the_loop():
    seen = {}

    def note(attend):
        return lambda q, k, v: (seen.update(q=q.clone(), k=k.clone()), attend(q, k, v))[1]

    for attend in (by_einsum, scaled_dot_product_attention):
        workload = counted(note(attend))
        scores = next(op for op in workload.ops if op.kind == "attention_product")
        coincidences, macs = by_loop(seen["q"], seen["k"].mT)
        assert (scores.work.effective_sops, scores.work.dense_macs) == (coincidences, macs)
        assert scores.a.events == int(seen["q"].sum()) > coincidences / TOKENS > 0
        assert scores.activity == activity(seen["q"].mT)


@pytest.mark.parametrize("equation", ["tbhid,tbhjd->tbhij", "tbhid,tbhjd->tbhji"])
def test_a_chain_may_begin_with_an_einsum_even_if_it_turns_the_product(equation):
    def attend(q, k, v):
        scores = torch.einsum(equation, *((q, k) if equation.endswith("ij") else (k, q)))
        return scores @ v

    chained = counted(attend)
    assert products(chained) == products(counted(plain))
    assert {op.order for op in chained.ops[1:-1]} == {"executed", "published"}


def test_a_matrix_over_time_steps_leaves_them_time_steps():
    """Neurons that see all steps at once are as many as those that see one after the other."""

    def mixed(network: Network, x: Tensor) -> Tensor:
        steps = torch.eye(STEPS) @ network.out(x).flatten(1)
        return network.more((steps > 0).to(x).unflatten(1, (2, TOKENS, 6)))

    workload = counted(plain, mixed)
    assert [item.neurons for item in workload.found] == [TOKENS * 6]


def test_frames_whose_time_a_network_exchanges_with_its_samples_are_refused():
    """Also with as many samples as steps, where no shape tells."""

    class Own(nn.Module):
        def __init__(self, *, turned: bool) -> None:
            super().__init__()
            self.T, self.turned = 2, turned
            self.layer, self.fire = nn.Linear(4, 4), neuron.LIFNode(step_mode="m")

        def forward(self, x: Tensor) -> Tensor:
            return self.fire(self.layer((x.transpose(0, 1) if self.turned else x).flatten(2)))

    frames = torch.ones(2, 2, 1, 2, 2)
    assert count(Own(turned=False), None, frames).ops[0].sizes.time_steps == 2
    with pytest.raises(CountingError, match="the time steps lie in axis 1"):
        count(Own(turned=True), None, frames)


def test_an_einsum_with_a_parameter_is_a_layer():
    def weighed(network: Network, x: Tensor) -> Tensor:
        return torch.einsum("tbnd,do->tbno", x, network.weight)

    assert counted(plain, weighed).ops == counted(plain, lambda net, x: x @ net.weight).ops


def test_spikes_that_are_added_up_over_time_or_samples():
    def over(*axes: int):
        def last(network: Network, x: Tensor) -> Tensor:
            return network.out(x) + 0 * network.more(x.sum(axes)).sum()

        return last

    ops = {op.kind: op for op in counted(plain, over(0)).ops}
    total = ops["sum"]
    assert (total.sizes.m, total.sizes.k, total.sizes.time_steps) == (TOKENS * WIDTH, 1, STEPS)
    assert total.a.events == ops["linear"].a.events == total.work.effective_sops
    total = {op.kind: op for op in counted(plain, over(0, 2)).ops}["sum"]
    assert (total.sizes.m, total.sizes.k, total.activity.groups[0]) == (
        WIDTH,
        TOKENS,
        STEPS * 2 * TOKENS,
    )
    with pytest.raises(CountingError, match="sum: spikes of different samples are added up"):
        counted(plain, over(1))


def test_no_time_steps():
    network = Network(plain)
    del network.T
    with pytest.raises(CountingError, match="has no attribute T; say how many time steps"):
        count(network, None, torch.zeros(2, 1, TOKENS, 4))


def test_products_of_overlapping_parts_are_products_of_their_own():
    """As of x_i and x_i+1 in turn; heads have no part in common."""

    def count_of(pairs):
        class Parts(nn.Module):
            T = 4

            def __init__(self) -> None:
                super().__init__()
                torch.manual_seed(0)
                self.layer = nn.Linear(5, 12)
                self.fire = neuron.IFNode(v_threshold=0.2, step_mode="m")

            def forward(self, x):
                parts = self.fire(self.layer(x.expand(4, *x.shape))).chunk(4, -1)
                return sum((parts[i] @ parts[j].mT).mean((0, 2, 3)) for i, j in pairs)

        return [op.sizes.heads for op in count(Parts(), None, torch.rand(3, 6, 5)).ops[1:]]

    assert count_of([(0, 1), (2, 3)]) == count_of([(0, 0), (1, 1)]) == [2]
    assert count_of([(0, 1), (1, 2)]) == [1, 1]
    assert count_of([(0, 1), (0, 2)]) == [1, 1]
