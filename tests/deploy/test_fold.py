"""Folding batch norm: every norm of every family, checked in float64, and refused where wrong."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.compress.surgery.fold import fold
from autoprune.compress.surgery.rounding import round_weights
from autoprune.deploy.load import load
from autoprune.deploy.observe import OUTPUT, observe
from autoprune.errors import InputError

from .conftest import FAMILIES, compressed


def norms(network: nn.Module) -> list[str]:
    return [path for path, m in network.named_modules() if isinstance(m, _BatchNorm)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_norm_behind_a_layer_is_folded_and_the_network_stays(family, packed, samples):
    network, adapter, origin = compressed(family)
    folded, pairs = fold(network, samples)
    # a layer that does not write every channel has less to offer than its norm
    left = [path for path in norms(network) if hasattr(network.get_submodule(path), "writes")]
    assert set(pairs) == {*norms(network)} - {*left}
    assert norms(folded) == left
    before, after = observe(network, samples)[OUTPUT], observe(folded, samples)[OUTPUT]
    assert (before - after).abs().max() < 1e-3 * before.abs().max()
    zeros = sum(int((value == 0).sum()) for value in network.state_dict().values())
    assert zeros > 50
    for path in pairs.values():
        was, now = (net.get_submodule(path).weight for net in (network, folded))
        assert torch.equal(was == 0, now == 0)
    folder = packed(folded, adapter, replace(origin, folded=pairs))
    loaded = load(folder, imports=":" in origin.model)
    assert torch.equal(observe(loaded, samples)[OUTPUT], after)
    assert len(folded.state_dict()) < len(network.state_dict())


class Tapped(nn.Module):
    """What feeds the norm feeds something else, too."""

    def __init__(self, tapped: bool) -> None:
        super().__init__()
        self.layer, self.norm = nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)
        nn.init.constant_(self.norm.running_var, 0.3)
        self.tapped = tapped

    def forward(self, x):
        x = self.layer(x)
        return self.norm(x).flatten(1) + (x.flatten(1) if self.tapped else 0)


def test_a_layer_whose_output_is_read_elsewhere_is_refused(samples):
    folded, pairs = fold(Tapped(tapped=False).eval(), samples)
    assert pairs == {"norm": "layer"}
    assert isinstance(folded.norm, nn.Identity)
    with pytest.raises(InputError, match="folding batch norm changes Tapped by .* in float64"):
        fold(Tapped(tapped=True).eval(), samples)


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (lambda net, x: net.head(net.norm(net.layer(x)).flatten(1).float()), "in float64 .Runtime"),
        (lambda net, x: net.norm(net.layer(x)).flatten(1) + net.norm.bias.sum(), "without its"),
    ],
)
def test_a_network_that_does_not_run_otherwise_is_refused(samples, then, words):
    """Its code is of float32 alone, or reads what its norm holds."""

    class Own(Tapped):
        def forward(self, x):
            return then(self, x)

    network = Own(tapped=False).eval()
    network.head = nn.Linear(network.norm(network.layer(samples)).flatten(1).shape[1], 2)
    with pytest.raises(InputError, match=f"--fold: Own does not run {words}"):
        fold(network, samples)


def test_a_norm_that_is_called_twice_or_follows_no_layer_stays(samples):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.norm = nn.BatchNorm2d(2), nn.BatchNorm2d(2)
            self.layer = nn.Conv2d(2, 2, 1)

        def forward(self, x):
            x = self.norm(self.layer(self.first(x)))
            return self.norm(self.layer(x)).flatten(1)

    folded, pairs = fold(Twice().eval(), samples)
    assert pairs == {}
    assert norms(folded) == ["first", "norm"]


@pytest.mark.parametrize("bits", [3, 8])
@pytest.mark.parametrize("family", [*FAMILIES])
def test_rounding_commutes_with_folding_batch_norm(family, bits):
    """In float64, where the rounding of numbers is far below a step of the grid."""
    network, _, _ = compressed(family)
    network = network.double()
    samples = torch.rand(2, 2, 16, 16, generator=torch.Generator().manual_seed(5)).double()
    first, pairs = fold(network, samples)
    round_weights(first, bits)
    second = copy.deepcopy(network)
    round_weights(second, bits)
    second, again = fold(second, samples)
    assert pairs == again and len(pairs) > 3
    plain, _ = fold(network, samples)
    moved = 0
    for path in pairs.values():
        weight, other, unrounded = (n.get_submodule(path).weight for n in (first, second, plain))
        assert torch.allclose(weight, other, rtol=1e-12, atol=0)
        moved += not torch.allclose(weight, unrounded, rtol=1e-6, atol=0)
    assert moved > len(pairs) / 2  # the others are all zero


def test_a_negative_and_a_zero_scale_of_batch_norm_commute_too():
    model = nn.Sequential(nn.Conv2d(2, 3, 3, bias=False), nn.BatchNorm2d(3)).double().eval()
    model[1].weight.data = torch.tensor([-0.7, 0.0, 2.0], dtype=torch.float64)
    samples = torch.rand(2, 2, 8, 8).double()
    first, pairs = fold(model, samples)
    assert pairs == {"1": "0"}
    round_weights(first, 4)
    round_weights(model, 4)
    second, _ = fold(model, samples)
    assert torch.allclose(first[0].weight, second[0].weight, rtol=1e-12, atol=0)
    assert (first[0].weight[1] == 0).all()
