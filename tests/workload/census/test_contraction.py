"""Products of matrices that are written by hand are counted, or named with their MACs."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from autoprune.workload.census.contraction import Entrywise
from autoprune.workload.census.count import count
from autoprune.workload.census.coverage import PRODUCTS
from autoprune.workload.op import Op

STEPS, SAMPLES, TOKENS, K, N = 2, 3, 4, 6, 5


class Net(nn.Module):
    """Spikes [T, B, tokens, K], and what is made of them with weights [N, K]."""

    def __init__(self, made) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.made = STEPS, made
        self.embed, self.fire = nn.Linear(3, K), neuron.LIFNode(v_threshold=0.2, step_mode="m")
        self.w, self.gamma = nn.Parameter(torch.randn(N, K)), nn.Parameter(torch.randn(K))

    def forward(self, x: Tensor) -> Tensor:
        return self.made(self, self.fire(self.embed(x.expand(STEPS, *x.shape))))


def counted(made) -> tuple[list[Op], int, set[str]]:
    """The operations, the MACs of products that are named, and what is called free."""
    workload = count(Net(made).eval(), None, INPUT, activity=False)
    named = sum(item.dense_macs for item in workload.uncounted if item.name == PRODUCTS)
    free = {item.name for item in workload.uncounted if item.is_free}
    return [*workload.ops], named, free


INPUT = torch.rand(SAMPLES, TOKENS, 3, generator=torch.Generator().manual_seed(1))
ENTRIES = STEPS * SAMPLES * TOKENS * N * K

COUNTED = {
    "columns last": lambda net, x: (x[..., None] * net.w.T).sum(-2),
    "columns first": lambda net, x: (x[..., None, :] * net.w).sum(-1),
    "weights first": lambda net, x: (net.w * x[..., None, :]).sum(-1),
    "mean": lambda net, x: (x[..., None, :] * net.w).mean(-1),
    "kept": lambda net, x: (x[..., None, :] * net.w).sum(-1, keepdim=True).squeeze(-1),
    "turned": lambda net, x: (x[..., None, :] * net.w).transpose(-1, -2).sum(-2),
    "two sums in one": lambda net, x: (
        x.unflatten(-1, (2, 3))[..., None] * net.w.T.unflatten(0, (2, 3))
    ).sum((-3, -2)),
    "rows": lambda net, x: (x.flatten(0, 2)[:, None] * net.w).sum(-1).unflatten(0, x.shape[:3]),
    "division": lambda net, x: (x[..., None, :] / (1 / net.w)).sum(-1),
    "outer": lambda net, x: (torch.einsum("tbnk,ok->tbnok", x, net.w)).sum(-1),
}


@pytest.mark.parametrize("made", COUNTED.values(), ids=COUNTED)
def test_a_product_by_hand_is_a_layer(made):
    plain, none, _ = counted(lambda net, x: x @ net.w.T)
    ops, named, free = counted(made)
    assert [op.work for op in ops] == [op.work for op in plain]
    assert [(op.sizes, op.a, op.b) for op in ops] == [(op.sizes, op.a, op.b) for op in plain]
    assert named == none == 0
    assert not {"mul", "div", "sum", "mean"} & free


def loop(net, x: Tensor) -> Tensor:
    out = torch.zeros(*x.shape[:-1], N)
    for k in range(K):
        out = out + x[..., k : k + 1] * net.w[:, k]
    return out


def loop_in_place(net, x: Tensor) -> Tensor:
    out = torch.zeros(*x.shape[:-1], N)
    for k in range(K):
        out += x[..., k : k + 1] * net.w[:, k]
    return out


def numbers(net, x: Tensor) -> Tensor:
    return torch.stack([sum(x[..., k] * net.w[n, k] for k in range(K)) for n in range(N)], -1)


def addcmul(net, x: Tensor) -> Tensor:
    out = torch.zeros(*x.shape[:-1], N)
    for k in range(K):
        out = torch.addcmul(out, x[..., k : k + 1], net.w[:, k])
    return out


def addr(net, x: Tensor) -> Tensor:
    rows = x.flatten(0, 2)
    out = torch.zeros(len(rows), N)
    for k in range(K):
        out = out.addr(rows[:, k], net.w[:, k])
    return out.unflatten(0, x.shape[:3])


def scattered(net, x: Tensor) -> Tensor:
    made, place = (x[..., None, :] * net.w).flatten(-2), torch.arange(N).repeat_interleave(K)
    return torch.zeros(*x.shape[:-1], N).index_add(-1, place, made)


def written_over(net, x: Tensor) -> Tensor:
    wide = x[..., None, :].repeat(1, 1, 1, N, 1)
    return wide.mul_(net.w).sum(-1)


NAMED = {
    "loop": loop,
    "loop in place": loop_in_place,
    "numbers": numbers,
    "addcmul": addcmul,
    "addr": addr,
    "index_add": scattered,
    "in place": written_over,
    "cumsum": lambda net, x: (x[..., None, :] * net.w).cumsum(-1)[..., -1],
    "something between": lambda net, x: (x[..., None, :] * net.w + 1).sum(-1) - K,
    "stacked": lambda net, x: torch.stack([x[..., k : k + 1] * net.w[:, k] for k in range(K)]).sum(
        0
    ),
    "outer": lambda net, x: sum(
        torch.outer(x[..., k].flatten(), net.w[:, k]) for k in range(K)
    ).unflatten(0, x.shape[:3]),
}


@pytest.mark.parametrize("made", NAMED.values(), ids=NAMED)
def test_or_it_is_named_with_its_macs(made):
    ops, named, free = counted(made)
    assert len(ops) == 1
    assert named == ENTRIES
    assert "mul" not in free


def real(net, x: Tensor) -> Tensor:
    return (x @ net.w.T @ net.w).exp()


FREE = {
    "scale": lambda net, x: x * 0.5,
    "scale by channel": lambda net, x: x * net.gamma,
    "scale by channel, mean of tokens": lambda net, x: (x * net.gamma).mean(2),
    "residual": lambda net, x: (x + net.gamma * x) + net.gamma * x,
    "square": lambda net, x: (x * x).sum(-1),
    "gate": lambda net, x: x * (x - 3).sigmoid(),
    "mask": lambda net, x: (x * torch.tensor([1.0, 0] * 3)).cumsum(-1),
    "softmax by hand": lambda net, x: x.exp() / x.exp().sum(-1, keepdim=True),
}


@pytest.mark.parametrize("made", FREE.values(), ids=FREE)
def test_products_that_nothing_adds_up_take_no_mac(made):
    ops, named, free = counted(lambda net, x: made(net, real(net, x)))
    assert (len(ops), named) == (3, 0)
    assert free & {"mul", "div"}


def test_a_gate_on_the_way_into_a_sum_of_products_is_named():
    """Recurrent cells by hand: what is forgotten plus what is learned."""

    def cell(net, x):
        x = real(net, x)
        return x.sigmoid() * x + x.cos() * x.sin()

    _, named, _ = counted(cell)
    assert named == 2 * STEPS * SAMPLES * TOKENS * K


def test_attention_by_hand_is_the_chain():
    def by_hand(net, x):
        q, k, v = x, x.flip(-1), x.roll(1, -1)
        scores = (q[..., None, :] * k[..., None, :, :]).sum(-1)
        return (scores[..., None] * v[..., None, :, :]).sum(-2)

    plain, *_ = counted(lambda net, x: x @ x.flip(-1).mT @ x.roll(1, -1))
    ops, named, _ = counted(by_hand)
    assert [(op.order, op.work) for op in ops] == [(op.order, op.work) for op in plain]
    assert (len(ops), named) == (5, 0)


def test_a_depthwise_filter_by_hand_is_grouped():
    def by_hand(net, x):
        windows = x.unfold(2, 2, 1)  # [T, B, tokens - 1, K, 2]
        return (windows * net.w[:2].T).sum(-1)

    (_, op), named, _ = counted(by_hand)
    assert (op.sizes.groups, op.sizes.k, op.sizes.n, op.sizes.m) == (K, 2, 1, TOKENS - 1)
    assert op.work.dense_macs == STEPS * SAMPLES * (TOKENS - 1) * K * 2
    assert named == 0


def test_memory_that_is_written_over_before_the_sum_is_named():
    def by_hand(net, x):
        x = x.clone()
        made = x[..., None, :] * net.w
        x.zero_()
        return made.sum(-1)

    ops, named, _ = counted(by_hand)
    assert (len(ops), named) == (1, ENTRIES)


def test_a_product_is_named_only_where_it_is_added_up_and_not_counted():
    made = Entrywise("mul", "", 8, (INPUT, INPUT), (0, 0), is_scale=False)
    assert not made.is_named
    made.is_summed = True
    assert made.is_named
    made.is_counted = True
    assert not made.is_named
