"""`autoprune profile` of networks that no adapter knows, and its word on what it cannot count."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import nn

import autoprune
from autoprune.errors import CountingError
from autoprune.workload.workload import Workload
from tests.refusals import assert_refused, refusals

MODULE = """
import torch
from spikingjelly.activation_based.neuron import LIFNode
from torch import nn
from torch.nn import functional as F

T, WIDTH, TOKENS = 3, 8, 5


def lif():
    return LIFNode(v_threshold=0.2, step_mode="m")


class Linear(nn.Module):
    def __init__(self):
        super().__init__()
        self.T = T
        self.first, self.fire, self.second = nn.Linear(6, WIDTH), lif(), nn.Linear(WIDTH, 4)

    def forward(self, x):
        return self.second(self.fire(self.first(x.expand(T, *x.shape)))).mean(0)


class Conv1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.T = T
        self.first, self.fire = nn.Conv1d(2, WIDTH, 3, stride=2, padding=1), lif()
        self.second = nn.Conv1d(WIDTH, 4, 3, dilation=2, groups=2)

    def forward(self, x):
        spikes = self.fire(self.first(x.repeat(T, 1, 1)).unflatten(0, (T, -1)))
        return self.second(spikes.flatten(0, 1)).unflatten(0, (T, -1)).mean((0, 3))


class Attention(nn.Module):
    def __init__(self, attend):
        super().__init__()
        self.T, self.attend = T, attend
        self.qkv, self.fire, self.out = nn.Linear(6, 3 * WIDTH), lif(), nn.Linear(WIDTH, 4)

    def forward(self, x):
        q, k, v = self.fire(self.qkv(x.expand(T, *x.shape))).chunk(3, -1)
        return self.out(self.attend(q, k, v)).mean((0, 2))


def einsum():
    return Attention(
        lambda q, k, v: torch.einsum("tbij,tbjd->tbid", torch.einsum("tbid,tbjd->tbij", q, k), v)
    )


def softmax():
    return Attention(F.scaled_dot_product_attention)


def causal():
    return Attention(lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True))


class Twice(Linear):
    def forward(self, x):
        x = self.first(x.expand(T, *x.shape))
        return self.second(self.fire(x)) + self.second(self.fire(x))


class Timeless(Linear):
    def __init__(self):
        super().__init__()
        del self.T


class Frames(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.fire, self.second = nn.Linear(8, WIDTH), lif(), nn.Linear(WIDTH, 4)

    def forward(self, x):
        return self.second(self.fire(self.first(x.flatten(2)))).mean(0)


class Foreign(Linear):
    def forward(self, x):
        return F.linear(self.fire(self.first(x.expand(T, *x.shape))), torch.ones(4, WIDTH))


class Nothing(nn.Module):
    T = T

    def forward(self, x):
        return x + 1
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("build", "shape", "macs"),
    [
        ("Linear", "6", 3 * (6 * 8 + 8 * 4)),
        ("Conv1d", "2x9", 3 * (5 * 8 * 2 * 3 + 1 * 4 * 4 * 3)),
        ("einsum", "5x6", 3 * (5 * 6 * 24 + 2 * 5 * 5 * 8 + 5 * 8 * 4)),
        ("softmax", "5x6", 3 * (5 * 6 * 24 + 2 * 5 * 5 * 8 + 5 * 8 * 4)),
        ("Twice", "6", 3 * (6 * 8 + 2 * 8 * 4)),
        ("Foreign", "6", 3 * (6 * 8 + 8 * 4)),
        ("causal", "5x6", 3 * (5 * 6 * 24 + 2 * 5 * 5 * 8 + 5 * 8 * 4)),
    ],
)
def test_networks_without_an_adapter(autoprune, here, build, shape, macs):
    said = autoprune("profile", f"my_networks:{build}", "--input", shape)
    assert said.code == 0, said.err
    text = " ".join(said.out.split())
    assert "Dense MACs: counted" in text
    assert "neuron update" in text
    said = autoprune("profile", f"my_networks:{build}", "--input", shape, "--json")
    workload = Workload.from_json(said.out)
    assert workload.per_sample("dense_macs") == macs
    assert workload.total("effective_sops") > 0
    assert all(op.activity is not None for op in workload.ops)
    seen = {item.name for item in workload.uncounted if item.dense_macs}
    assert seen <= {"scaled_dot_product_attention"}


def test_time_steps_of_frames_may_be_told(autoprune, here):
    told = ("profile", "my_networks:Frames", "--input", "3x2x2x2", "--json")
    assert "has no attribute T" in autoprune(*told).err
    workload = Workload.from_json(autoprune(*told, "--time-steps", "3").out)
    assert [op.sizes.time_steps for op in workload.ops] == [3, 3]


@refusals(
    (("Timeless", "6"), "Timeless has no attribute T; say how many time steps it runs"),
    (("Nothing", "6"), "Nothing: no operation was found to count"),
)
def test_what_cannot_be_counted_is_said(autoprune, here, given, words):
    build, shape = given
    assert_refused(words, autoprune, "profile", f"my_networks:{build}", "--input", shape)


def test_one_call_in_python():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Linear(4, 6), neuron.LIFNode(v_threshold=0.1, step_mode="m"), nn.Linear(6, 2)
    ).train()
    x = torch.rand(1, 3, 4)[0]
    with pytest.raises(CountingError, match="has no attribute T"):
        autoprune.profile(network, x)
    workload = autoprune.profile(network, x, 1)
    assert [(op.name, op.a.kind) for op in workload.ops] == [("0", "real"), ("2", "binary")]
    assert (workload.samples, workload.time_steps) == (3, 1)
    assert workload.ops[1].activity is not None
    assert autoprune.profile(network, x, 1, activity=False).ops[1].activity is None
    assert all(module.training for module in network.modules())
    network[2].eval()
    autoprune.profile(network, x, 1)
    assert [module.training for module in network] == [True, True, False]
