"""One network, one count: other spellings of the same mathematics are counted alike.

A rewrite is one line: what it changes in a network of spiking attention, and how. Every network is
counted as it is written plainly and as it is rewritten; operations, in both orders and with every
figure, have to be equal, up to their names, and so have energy and latency on every machine.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize, prune

from autoprune.cost.load import load_machine
from autoprune.cost.ops import Ops
from autoprune.workload.census.count import count
from autoprune.workload.op import Op
from autoprune.workload.workload import Workload
from tests.operations import PRICED

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")

STEPS, SAMPLES, TOKENS, WIDTH, HEADS = 4, 3, 6, 16, 2
Make = Callable[..., object]


class HandWritten(nn.Module):
    """A LIF of nobody's class, over [T, B, ...]."""

    def forward(self, x: Tensor) -> Tensor:
        u, out = torch.zeros_like(x[0]), []
        for step in x:
            u = u + (step - u) / 2.0
            spikes = (u >= THRESHOLD).to(x)
            u = u * (1 - spikes)
            out.append(spikes)
        return torch.stack(out)


THRESHOLD = 0.15


def lif() -> nn.Module:
    return neuron.LIFNode(v_threshold=THRESHOLD, step_mode="m")


class Attention(nn.Module):
    """Tokens, spikes, attention, a feed-forward, a head; `spelling` says how each is written.

    ``network`` is what is done to the network before.
    """

    def __init__(
        self, spelling: Mapping[str, Callable[..., Tensor]], make=lif, heads=HEADS
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.heads, self.how = STEPS, heads, spelling
        self.embed, self.qkv = nn.Linear(5, WIDTH), nn.Linear(WIDTH, 3 * WIDTH)
        self.fc, self.head = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, 3)
        self.n1, self.n2, self.n3, self.n4 = (make() for _ in range(4))
        self.learned = nn.Parameter(torch.tensor(0.25))
        self.register_buffer("stored", torch.full((1, 1, heads, 1, 1), 0.25))
        self.drop = nn.Dropout(0.3)
        self.double()
        self.said("network")

    def said(self, what: str, *given: Tensor) -> Any:
        return self.how[what](self, *given) if what in self.how else PLAIN[what](self, *given)

    def forward(self, x: Tensor) -> Tensor:
        x = self.n1(self.said("embed", self.said("time", x)))
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(2, 3)
            for part in self.n2(4 * self.qkv(x)).chunk(3, -1)
        )
        y = self.n3(self.said("attention", q, k, v).transpose(2, 3).flatten(3))
        y = self.n4(4 * self.said("layer", self.said("spikes", y)))
        return self.said("last", y)


PLAIN: dict[str, Callable[..., Any]] = {
    "network": lambda net: None,
    "time": lambda net, x: x.unsqueeze(0).repeat(STEPS, 1, 1, 1),
    "embed": lambda net, x: net.embed(x),
    "attention": lambda net, q, k, v: q @ k.mT @ v * 0.25,
    "spikes": lambda net, x: x,
    "layer": lambda net, x: net.fc(x),
    "last": lambda net, x: net.head(x.mean((0, 2))),
}


def scored(change):
    return {"attention": lambda net, q, k, v: change(net, q @ k.mT) @ v}


def rows(net, x: Tensor) -> Tensor:
    return net.fc(x.flatten(0, 2)).unflatten(0, x.shape[:3])


def looped(net, x: Tensor) -> Tensor:
    return torch.stack([net.fc(step) for step in x])


def by_hand(net, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return torch.stack([a @ b.mT @ c * 0.25 for a, b, c in zip(q, k, v, strict=True)])


def by_heads(net, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    heads = zip(q.unbind(2), k.unbind(2), v.unbind(2), strict=True)
    return torch.stack([a @ b.mT @ c * 0.25 for a, b, c in heads], 2)


def by_steps_and_heads(net, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    steps = zip(q, k, v, strict=True)
    return torch.stack([by_heads(net, *(x.unsqueeze(0) for x in step))[0] for step in steps])


def by_channels(net, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    tokens, width = (x.transpose(2, 3).flatten(3) for x in (q, k, v)), q.shape[-1]
    heads = zip(*(x.split(width, -1) for x in tokens), strict=True)
    return (
        torch.cat([(a @ b.mT / 4) @ c for a, b, c in heads], -1)
        .unflatten(-1, (-1, width))
        .transpose(2, 3)
    )


def flat(net, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    a, b, c = (x.flatten(0, 2) for x in (q, k, v))
    return torch.bmm(torch.bmm(a, b.mT), c).unflatten(0, q.shape[:3]) * 0.25


def added(net, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    a, b, c = (x.flatten(0, 2) for x in (q, k, v))
    scores = torch.baddbmm(a.new_zeros(1, 1, 1), a, b.mT, alpha=0.25)
    return torch.bmm(scores, c).unflatten(0, q.shape[:3])


def masked(net, scores: Tensor) -> Tensor:
    return scores.masked_fill(torch.zeros(TOKENS, TOKENS, dtype=torch.bool), 0)


def written(net, x: Tensor) -> Tensor:
    out = torch.empty_like(x)
    for t in range(STEPS):
        out[t] = x[t]
    return out


def windows(net, x: Tensor) -> Tensor:
    return (
        net.fc(x.unflatten(2, (2, -1)).flatten(0, 2)).unflatten(0, (*x.shape[:2], 2)).flatten(2, 3)
    )


def image(net, x: Tensor) -> Tensor:
    """One of its axes is time."""
    taken = nn.functional.conv2d(x.permute(1, 3, 0, 2), net.fc.weight[..., None, None], net.fc.bias)
    return taken.permute(2, 0, 3, 1)


def coincidences(net, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    both = q.bool()[..., None, :] & k.bool()[..., None, :, :]
    return both.sum(-1).to(v) @ v * 0.25


def chosen(net, x: Tensor) -> Tensor:
    return torch.where(x.bool()[..., None, :], net.fc.weight, 0.0).sum(-1) + net.fc.bias


CHANNELS = torch.tensor([2.0 ** -(i % 5) * (1 + i % 3) for i in range(WIDTH)]).double()


def folded(change: Callable[[Tensor], Tensor], factor: float | Tensor):
    """Spikes in another unit, which the weights that read them take back."""
    return {
        "spikes": lambda net, x: change(x),
        "layer": lambda net, x: nn.functional.linear(x, net.fc.weight / factor, net.fc.bias),
    }


REWRITES: dict[str, Mapping[str, Callable[..., Tensor]]] = {
    "scale of scores": scored(lambda net, a: a * 0.25),
    "scale in front": {"attention": lambda net, q, k, v: (q * 0.25) @ k.mT @ v},
    "scale of keys": {"attention": lambda net, q, k, v: q @ (0.25 * k).mT @ v},
    "scale of values": {"attention": lambda net, q, k, v: q @ k.mT @ (v * 0.25)},
    "division": scored(lambda net, a: a / 4),
    "square root": scored(lambda net, a: a / math.sqrt(16)),
    "square root of a tensor": scored(lambda net, a: a / torch.sqrt(torch.tensor(16.0))),
    "in place": scored(lambda net, a: a.mul_(0.25)),
    "division in place": scored(lambda net, a: a.div_(4)),
    "learned scale": scored(lambda net, a: a * net.learned),
    "stored scale": scored(lambda net, a: net.stored * a),
    "scores twice": scored(lambda net, a: (a + a) * 0.125),
    "two scales": scored(lambda net, a: a * 0.5 * 0.5),
    "dropout": scored(lambda net, a: net.drop(a * 0.25)),
    "contiguous": scored(lambda net, a: (a * 0.25).contiguous()),
    "clone": scored(lambda net, a: (a * 0.25).clone()),
    "type": scored(lambda net, a: (a * 0.25).to(torch.float64).double()),
    "identity": scored(lambda net, a: nn.Identity()(a * 0.25)),
    "no mask": scored(lambda net, a: masked(net, a * 0.25)),
    "mask of ones": scored(lambda net, a: a * 0.25 * torch.ones(TOKENS, TOKENS).to(a)),
    "matmul": {"attention": lambda net, q, k, v: torch.matmul(torch.matmul(q, k.mT), v) * 0.25},
    "einsum": {
        "attention": lambda net, q, k, v: (
            torch.einsum("tbhij,tbhjd->tbhid", torch.einsum("tbhid,tbhjd->tbhij", q, k), v) * 0.25
        )
    },
    "einsum with ellipsis": {
        "attention": lambda net, q, k, v: torch.einsum(
            "...ij,...jd->...id", torch.einsum("...id,...jd->...ij", q, k) / 4, v
        )
    },
    "bmm": {"attention": flat},
    "baddbmm": {"attention": added},
    "a loop over steps": {"attention": by_hand},
    "a loop over heads": {"attention": by_heads},
    "loops over steps and heads": {"attention": by_steps_and_heads},
    "heads cut out of the channels": {"attention": by_channels},
    "rows": {"layer": rows},
    "steps and samples one axis": {
        "layer": lambda net, x: net.fc(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    },
    "samples first": {"layer": lambda net, x: net.fc(x.transpose(0, 1)).transpose(0, 1)},
    "samples first, one axis": {
        "layer": lambda net, x: (
            net.fc(x.transpose(0, 1).flatten(0, 1)).unflatten(0, (SAMPLES, STEPS)).transpose(0, 1)
        )
    },
    "windows": {"layer": windows},
    "steps one by one": {"layer": looped},
    "functional": {"layer": lambda net, x: nn.functional.linear(x, net.fc.weight, net.fc.bias)},
    "weight of a matmul": {"layer": lambda net, x: x @ net.fc.weight.T + net.fc.bias},
    "weight on the left": {
        "layer": lambda net, x: (net.fc.weight @ x.mT).mT + net.fc.bias,
    },
    "einsum with a weight": {
        "layer": lambda net, x: torch.einsum("tbnc,oc->tbno", x, net.fc.weight) + net.fc.bias
    },
    "tensordot": {
        "layer": lambda net, x: torch.tensordot(x, net.fc.weight, ([3], [1])) + net.fc.bias
    },
    "convolution": {
        "layer": lambda net, x: nn.functional.conv1d(
            x.flatten(0, 1).mT, net.fc.weight.unsqueeze(-1), net.fc.bias
        ).mT.unflatten(0, x.shape[:2])
    },
    "convolution over all steps": {"layer": image},
    "product by hand": {
        "layer": lambda net, x: (x.unsqueeze(-2) * net.fc.weight).sum(-1) + net.fc.bias
    },
    "attention by hand": {
        "attention": lambda net, q, k, v: (
            ((q[..., None, :] * k[..., None, :, :]).sum(-1)[..., None] * v[..., None, :, :]).sum(-2)
            / 4
        )
    },
    "coincidences": {"attention": coincidences},
    "weights that spikes choose": {"layer": chosen},
    "by keyword": {"layer": lambda net, x: net.fc(input=x)},
    "spikes scaled": folded(lambda x: 0.5 * x, 0.5),
    "spikes divided": folded(lambda x: x / 8, 0.125),
    "spikes scaled by channel": folded(lambda x: x * CHANNELS, CHANNELS),
    "spikes summed and averaged": folded(
        lambda x: nn.functional.avg_pool1d(
            nn.functional.pad(x.flatten(0, 1).unsqueeze(-1), (0, 1)).flatten(1), 2
        ).reshape(x.shape),
        0.5,
    ),
    "spikes written step by step": {"spikes": written},
    "spikes joined": {"spikes": lambda net, x: torch.cat([x[:2], x[2:]])},
    "time expanded": {"time": lambda net, x: x.expand(STEPS, *x.shape)},
    "time stacked": {"time": lambda net, x: torch.stack([x] * STEPS)},
    "sum and division": {"last": lambda net, x: net.head(x.sum((0, 2)) / (STEPS * TOKENS))},
    "means one after the other": {"last": lambda net, x: net.head(x.mean(2).mean(0))},
}


def pruned(network: nn.Module) -> nn.Module:
    for layer in (network.qkv, network.fc):
        prune.l1_unstructured(layer, "weight", 0.6)
        prune.remove(layer, "weight")
    return network


def mask(network: nn.Module) -> nn.Module:
    prune.l1_unstructured(network.qkv, "weight", 0.6)
    return network


class Half(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * (x > 0)


def parametrised(network: nn.Module) -> nn.Module:
    parametrize.register_parametrization(network.fc, "weight", Half())
    return network


def softmax(net, scores: Tensor, v: Tensor) -> Tensor:
    return scores.softmax(-1) @ v


SOFTMAX = {"attention": lambda net, q, k, v: softmax(net, q @ k.mT / math.sqrt(q.shape[-1]), v)}
PAST = torch.ones(TOKENS, TOKENS, dtype=torch.bool).tril()
CAUSAL = {
    "attention": lambda net, q, k, v: softmax(
        net, (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~PAST, -math.inf), v
    )
}


def attended(**options: Any):
    return {
        "attention": lambda net, q, k, v: nn.functional.scaled_dot_product_attention(
            q, k, v, **options
        )
    }


def add_module(net) -> None:
    torch.manual_seed(1)
    net.inner = nn.MultiheadAttention(WIDTH, net.heads, batch_first=True).double()


def by_parts(net, x: Tensor) -> Tensor:
    inner = net.inner
    made = nn.functional.linear(x, inner.in_proj_weight, inner.in_proj_bias)
    q, k, v = made.unflatten(-1, (3, net.heads, -1)).movedim(-3, 0).transpose(-2, -3)
    out = softmax(net, q @ k.mT / math.sqrt(q.shape[-1]), v)
    return inner.out_proj(out.transpose(-2, -3).flatten(-2))


def by_module(net, x: Tensor, **options: Any) -> Tensor:
    rows = x.flatten(0, 1)
    return net.inner(rows, rows, rows, **options)[0].unflatten(0, x.shape[:2])


def tie(net) -> None:
    net.tied = nn.Linear(WIDTH, 2 * WIDTH).double()
    net.tied.weight, net.tied.bias = net.fc.weight, net.fc.bias


def copied(net) -> None:
    net.second = copy.deepcopy(net.fc)


def rounded(net) -> None:
    net.fc.weight.data = quantised(net.fc.weight.data)


def quantised(weight: Tensor) -> Tensor:
    return torch.clamp(torch.round(weight / STEP), -8, 7) * STEP


STEP = 0.04


class Quantiser(nn.Module):
    """Rounds weights to 4 bits; its scale is a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("scale", torch.tensor(STEP, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(torch.round(x / self.scale), -8, 7) * self.scale


class Rounded(nn.Linear):
    """A layer that rounds its weights whenever it is called."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, quantised(self.weight), self.bias)


def rounding(net) -> None:
    net.fc.__class__ = Rounded


def without(net) -> None:
    prune.remove(mask(net).qkv, "weight")


def halved(net) -> None:
    net.fc.weight.data *= net.fc.weight.data > 0


@torch.jit.script
def scripted(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return q.matmul(k.transpose(-1, -2)).matmul(v) * 0.25


@torch.jit.script
def scripted_layer(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, weight, bias)


PER_HEAD = torch.tensor([0.25, 0.5, 1.0, 3.0]).double().view(4, 1, 1)
PARTS = {"network": add_module, "spikes": by_parts}
PAIRS: dict[str, tuple[Mapping[str, Callable[..., Any]], Mapping[str, Callable[..., Any]]]] = {
    "SDPA": (SOFTMAX, attended()),
    "SDPA, a mask of nothing": (SOFTMAX, attended(attn_mask=torch.zeros(TOKENS, TOKENS).double())),
    "SDPA, own scale": (
        SOFTMAX,
        {
            "attention": lambda net, q, k, v: nn.functional.scaled_dot_product_attention(
                q, k, v, scale=1 / math.sqrt(q.shape[-1])
            )
        },
    ),
    "SDPA, is_causal": (CAUSAL, attended(is_causal=True)),
    "SDPA, a mask of truths": (CAUSAL, attended(attn_mask=PAST)),
    "SDPA, a mask that is added": (
        CAUSAL,
        attended(attn_mask=torch.zeros(TOKENS, TOKENS).double().masked_fill(~PAST, -math.inf)),
    ),
    "a scale per head": (
        {"attention": lambda net, q, k, v: q @ k.mT @ v * PER_HEAD[: net.heads]},
        {"attention": lambda net, q, k, v: (q @ k.mT * PER_HEAD[: net.heads]) @ v},
    ),
    "MultiheadAttention": (PARTS, {**PARTS, "spikes": by_module}),
    "MultiheadAttention without its weights": (
        PARTS,
        {**PARTS, "spikes": lambda net, x: by_module(net, x, need_weights=False)},
    ),
    "weight_norm": (
        {},
        {"network": lambda net: parametrizations.weight_norm(net.fc)},
    ),
    "weight_norm, the old one": (
        {},
        {"network": lambda net: nn.utils.weight_norm(net.fc)},
    ),
    "prune": ({"network": without}, {"network": mask}),
    "parametrize": ({"network": halved}, {"network": parametrised}),
    "quantiser": (
        {"network": rounded},
        {
            "network": lambda net: parametrize.register_parametrization(
                net.fc, "weight", Quantiser()
            )
        },
    ),
    "quantiser when it is called": ({"network": rounded}, {"network": rounding}),
    "tied": ({}, {"network": tie, "layer": lambda net, x: net.tied(x)}),
    "shared": (
        {"network": copied, "layer": lambda net, x: net.fc(x) + net.second(x)},
        {"layer": lambda net, x: net.fc(x) + net.fc(x)},
    ),
    "scripted attention": ({}, {"attention": lambda net, q, k, v: scripted(q, k, v)}),
    "scripted layer": (
        {},
        {"layer": lambda net, x: scripted_layer(x, net.fc.weight, net.fc.bias)},
    ),
}
"""Networks that are no plain one, and what they are written as."""

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "LIF": lambda how: Attention(how),
    "IF": lambda how: Attention(how, lambda: neuron.IFNode(v_threshold=0.3, step_mode="m")),
    "PLIF": lambda how: Attention(
        how, lambda: neuron.ParametricLIFNode(v_threshold=THRESHOLD, step_mode="m")
    ),
    "ternary": lambda how: Attention(
        how, lambda: neuron.TernaryLIFNode(v_threshold=0.2, step_mode="m")
    ),
    "integers": lambda how: Attention(how, lambda: neuron.ILIFNode(step_mode="m")),
    "written by hand": lambda how: Attention(how, HandWritten),
    "KLIF": lambda how: Attention(how, lambda: neuron.KLIFNode(v_threshold=0.3, step_mode="m")),
    "one head": lambda how: Attention(how, heads=1),
    "four heads": lambda how: Attention(how, heads=4),
    "pruned": lambda how: pruned(Attention(how)),
    "masked": lambda how: mask(Attention(how)),
    "parametrised": lambda how: parametrised(Attention(how)),
}


INPUT = torch.randn(SAMPLES, TOKENS, 5, generator=torch.Generator().manual_seed(1)).double()
SPELLINGS = {**{name: ({}, how) for name, how in REWRITES.items()}, **PAIRS}
MACHINES = [load_machine(name) for name in PRICED]
_counted: dict[tuple[str, int], Workload] = {}


def counted(name: str, how: Mapping[str, Callable[..., Any]]) -> Workload:
    """In float64, where no membrane is within rounding of its threshold."""
    if (name, id(how)) not in _counted:
        network = NETWORKS[name](how).double().eval()
        _counted[name, id(how)] = count(network, None, INPUT, product_sparsity=True)
    return _counted[name, id(how)]


def bare(op: Op) -> Op:
    """Without what a spelling may change: names; and a layer may be a convolution."""
    pointwise = op.kind == "conv" and math.prod(op.geometry.kernel) == 1
    layer = {"kind": "linear", "geometry": None} if pointwise else {}
    return dataclasses.replace(op, name="", producers=(), **layer)


OWN_WEIGHTS = {"pruned", "masked", "parametrised"}
"""Networks whose weights torch lets nothing else change."""

OF_BITS = {"coincidences", "weights that spikes choose"}
"""Spellings of binary spikes alone."""

CASES = [
    pytest.param(name, spelling, marks=() if name == "LIF" else pytest.mark.full)
    for name in NETWORKS
    for spelling, hows in SPELLINGS.items()
    if name not in OWN_WEIGHTS or not any("network" in how for how in hows)
    if name not in ("ternary", "integers") or spelling not in OF_BITS
]


@pytest.mark.parametrize(("name", "spelling"), CASES)
def test_spelling_does_not_matter(name, spelling):
    plain, found = (counted(name, how) for how in SPELLINGS[spelling])
    assert all(op.a.nonzeros > 0 for op in plain.ops)
    assert list(map(bare, found.ops)) == list(map(bare, plain.ops))


@pytest.mark.parametrize(
    "spelling",
    [
        "spikes written step by step",
        "spikes joined",
        "convolution over all steps",
        "a loop over heads",
    ],
)
def test_nor_does_it_of_one_sample(spelling):
    """No axis of one entry is taken for another one."""
    plain, found = (count(Attention(how).eval(), None, INPUT[:1]) for how in SPELLINGS[spelling])
    assert {op.sizes.time_steps for op in plain.ops[:-1]} == {STEPS}
    assert list(map(bare, found.ops)) == list(map(bare, plain.ops))


@pytest.mark.parametrize("model", MACHINES, ids=lambda model: model.machine.name)
def test_energy_and_latency_are_equal_on_every_machine(model):
    """Two machines hold kernels otherwise than lists, or address them otherwise."""
    kernels = () if model.machine.name not in TELL_KERNELS else ("convolution",)
    names = [name for name in SPELLINGS if not name.startswith(kernels)]
    plain, found = (
        model.price_all(Ops.of([counted("LIF", SPELLINGS[n][place]) for n in names]))
        for place in (0, 1)
    )
    assert plain.energy_uj.tolist() == found.energy_uj.tolist()
    assert (plain.energy_uj > 0).all()
    for figure, values in plain.figures.items():
        assert values.tolist() == found.figures[figure].tolist()


TELL_KERNELS = ("loihi1_sanafe", "mem45")
