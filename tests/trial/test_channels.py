"""What neurons learn per channel lies along their channels: the data say so, not the sizes."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import functional
from spikingjelly.activation_based.neuron import LIFNode
from torch import Tensor, nn

from autoprune.errors import CompressionError
from autoprune.networks.adapter import Inside, ModelAdapter, Projection
from autoprune.networks.branches import branch
from autoprune.trial.channels import check_channels
from tests.refusals import assert_refused

WIDTH = 16
TOKENS = torch.rand(2, WIDTH, WIDTH, generator=torch.Generator().manual_seed(0))
"""[B, N, C], of as many tokens as channels."""


def lif() -> LIFNode:
    return LIFNode(step_mode="m")


class Attention(nn.Module):
    """A layer with its neurons on [T, B, N, C], or on [T, B, C, N] where `turned`; then others."""

    def __init__(self, *, turned: bool, norm: nn.Module) -> None:
        super().__init__()
        self.turned = turned
        self.v, self.norm, self.v_lif = nn.Linear(WIDTH, WIDTH), norm, lif()
        self.attn_lif, self.o = lif(), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.v(x).flatten(0, 1).mT).mT.unflatten(0, x.shape[:2])
        if not self.turned:
            return x + self.o(self.attn_lif(self.v_lif(y)))
        return x + self.o(self.attn_lif(self.v_lif(y.mT)).mT)


class Network(nn.Module):
    T = 3

    def __init__(self, *, turned: bool = False, norm: nn.Module | None = None) -> None:
        super().__init__()
        self.attn = Attention(turned=turned, norm=norm or nn.BatchNorm1d(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return self.attn(x.expand(self.T, *x.shape)).mean((0, 2))


class Adapter(ModelAdapter):
    def __init__(self, given: dict[str, tuple[int, ...]]) -> None:
        self.given = given

    def branches(self, model):
        def inside(a: Attention) -> Inside:
            v, o = Projection(a.v, a.norm, a.v_lif), Projection(a.o)
            return Inside(inner={"v": v}, outer={"o": o}, ties=("v o",), neurons=self.given)

        return ((branch("attention", model, "attn", inside, residual="inside"),),)


TOLD = {"attn_lif": (WIDTH,)}
TURNED = {"v_lif": (WIDTH, 1), "attn_lif": (WIDTH, 1)}


@pytest.mark.parametrize(("turned", "given"), [(False, TOLD), (True, TURNED)])
@pytest.mark.parametrize("norm", [nn.BatchNorm1d(WIDTH), nn.Identity(), nn.LayerNorm(WIDTH)])
def test_right_shapes_pass_and_leave_the_network_as_it_was(turned, given, norm):
    network = Network(turned=turned, norm=norm).eval()
    before = network(TOKENS)
    functional.reset_net(network)
    found = check_channels(network, Adapter(given), TOKENS)
    assert torch.equal(network(TOKENS), before)
    names = {"blocks.0.attention.v_lif", "blocks.0.attention.attn_lif"}
    assert (set(found.answered), found.silent) == (names, ())
    assert found.alike == 2  # of as many tokens as channels


def test_of_fewer_tokens_than_channels_no_axis_is_as_long():
    found = check_channels(Network().eval(), Adapter(TOLD), TOKENS[:, :5])
    assert (len(found.answered), found.alike) == (2, 0)


@pytest.mark.parametrize(
    ("turned", "given", "words"),
    [
        (False, TOLD | {"v_lif": (WIDTH, 1)}, "along axis 2 of*along axis 3*'v_lif': (16,)})"),
        (True, {"attn_lif": (WIDTH, 1)}, "'v_lif'*along axis 3 of*along axis 2*'v_lif': (16, 1)})"),
        (False, {"attn_lif": (WIDTH, 1)}, "'attn_lif'*as several of the 16 inputs of the layer"),
        (True, TURNED | {"attn_lif": (WIDTH,)}, "'attn_lif'*as several of the 16 inputs"),
        (False, TOLD | {"v_lif": (2, 8)}, "of shape (2, 8), lies along axis 2 or 3"),
    ],
)
def test_another_axis_of_the_same_size_is_found_out(turned, given, words):
    network = Network(turned=turned).eval()
    said = assert_refused(
        words, check_channels, network, Adapter(given), TOKENS, by=CompressionError
    )
    assert said.startswith("blocks.0.attention: what '")
    assert not [n for m in network.modules() for n in (*m._forward_hooks, *m._forward_pre_hooks)]


def test_a_reshape_that_mixes_channels_with_tokens_is_told():
    class Reshaped(Attention):
        def forward(self, x: Tensor) -> Tensor:
            y = self.v(x)
            mixed = self.v_lif(y.reshape(*y.shape[:2], WIDTH, -1))
            return self.o(self.attn_lif(mixed.reshape(y.shape)))

    network = Network().eval()
    network.attn.__class__ = Reshaped
    words = "'v_lif'*along no axis of*expected a transpose where the network reshapes"
    given = Adapter(TOLD | {"v_lif": (WIDTH, 1)})
    assert_refused(words, check_channels, network, given, TOKENS[:, :5], by=CompressionError)


def test_what_is_mixed_before_it_arrives_is_not_told():
    """A product of activations takes NaN everywhere; nothing is claimed of it."""

    class Mixed(Attention):
        def forward(self, x: Tensor) -> Tensor:
            y = self.v(x)
            s = self.attn_lif(self.v_lif(y @ y.mT @ y))
            return self.o(s @ s.mT @ s)

    network = Network().eval()
    network.attn.__class__ = Mixed
    found = check_channels(network, Adapter(TOLD | {"v_lif": (WIDTH, 1)}), TOKENS)
    assert not found.answered and len(found.silent) == 2
