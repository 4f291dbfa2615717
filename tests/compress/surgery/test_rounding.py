"""Rounding of weights: the grid, and what stays."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from autoprune.compress.surgery.rounding import round_weights, rounded
from autoprune.errors import InputError
from autoprune.networks.adapter import Weighted

BITS = st.integers(2, 31)


def layer(*rows: list[float]) -> nn.Linear:
    linear = nn.Linear(len(rows[0]), len(rows))
    linear.weight.data = torch.tensor(rows)
    return linear


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    return {
        path: module.weight.detach().clone()
        for path, module in model.named_modules()
        if isinstance(module, Weighted)
    }


def bits_of(tensor: torch.Tensor) -> torch.Tensor:
    """Integers that tell every value apart, -0.0 from 0.0 as well."""
    return tensor.contiguous().view(torch.int64 if tensor.dtype == torch.float64 else torch.int32)


def test_three_bits_by_hand():
    linear = layer([3.0, 1.4, -1.6, 0.4], [-0.25, 0.75, 0.375, -0.125], [0.0, 0.0, 0.0, 0.0])
    round_weights(linear, 3)
    assert linear.weight.tolist() == [
        [3.0, 1.0, -2.0, 0.0],
        [-0.25, 0.75, 0.5, 0.0],  # 1.5 and 0.5 steps: to the even one
        [0.0, 0.0, 0.0, 0.0],
    ]


@given(BITS, st.integers(0, 2**31))
def test_every_channel_lies_on_its_own_grid_no_further_than_half_a_step(bits, seed):
    generator = torch.Generator().manual_seed(seed)
    conv = nn.Conv2d(4, 6, 3, groups=2)
    conv.weight.data = torch.randn(conv.weight.shape, generator=generator)
    conv.weight.data *= 10.0 ** torch.randint(-6, 6, (6, 1, 1, 1), generator=generator)
    before = conv.weight.detach().double().flatten(1)
    round_weights(conv, bits)
    after = conv.weight.detach().double().flatten(1)
    scale = before.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    last_place = after.abs() * 2.0**-24  # float32 cannot hold the point of the grid itself
    steps = after / scale
    assert ((steps - steps.round()).abs() * scale <= last_place).all()
    assert ((after - before).abs() <= scale / 2 + last_place).all()
    assert torch.equal(after.abs().amax(1), before.abs().amax(1))


@given(BITS, st.integers(0, 2**31))
def test_rounding_twice_to_as_many_bits_is_rounding_once(bits, seed):
    conv = nn.Conv2d(3, 5, 3)
    conv.weight.data = torch.randn(conv.weight.shape, generator=torch.Generator().manual_seed(seed))
    round_weights(conv, bits)
    once = bits_of(conv.weight.detach()).clone()
    round_weights(conv, bits)
    assert torch.equal(bits_of(conv.weight.detach()), once)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_only_the_weights_of_layers_move_stem_and_head_included(network, bits):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    layers = {f"{path}.weight" for path in weights(network)}
    round_weights(network, bits)
    changed = {n for n, t in network.state_dict().items() if not torch.equal(t, before[n])}
    assert changed == layers
    assert {"head.weight"} < layers and any("stem" in name or "patch" in name for name in layers)


def test_zeros_stay_zero_and_no_zero_is_negative(network):
    for weight in weights(network):
        parameter = network.get_submodule(weight).weight
        parameter.data[torch.rand_like(parameter) < 0.5] = 0.0
    before = weights(network)
    round_weights(network, 3)
    for path, after in weights(network).items():
        assert (after[before[path] == 0] == 0).all()
        assert (bits_of(after)[after == 0] == 0).all()
        assert (after == 0).sum() > (before[path] == 0).sum()


@pytest.mark.parametrize("bits", [32, 40, 64])
def test_thirty_two_bits_and_more_change_nothing(network, bits):
    before = weights(network)
    round_weights(network, bits)
    assert all(torch.equal(bits_of(w), bits_of(before[p])) for p, w in weights(network).items())


def test_the_bits_of_the_weights_come_back_also_after_an_exception(network):
    network.head.weight.data[0] = -0.0
    before = weights(network)
    with rounded(network, 4):
        assert not any(torch.equal(w, before[p]) for p, w in weights(network).items())
    assert all(torch.equal(bits_of(w), bits_of(before[p])) for p, w in weights(network).items())
    with pytest.raises(KeyboardInterrupt), rounded(network, 4):
        raise KeyboardInterrupt
    assert all(torch.equal(bits_of(w), bits_of(before[p])) for p, w in weights(network).items())


def test_a_weight_that_two_layers_share_comes_back(network):
    network.other = nn.Linear(12, 4)
    network.other.weight = network.head.weight
    before = network.head.weight.detach().clone()
    with rounded(network, 2):
        assert not torch.equal(network.head.weight, before)
    assert torch.equal(network.head.weight, before)


@pytest.mark.parametrize("bits", [1, 0, -8])
def test_fewer_than_two_bits_are_refused_and_nothing_moves(network, bits):
    before = weights(network)
    with pytest.raises(InputError, match=rf"weight_bits: given {bits}; expected at least 2"):
        round_weights(network, bits)
    with pytest.raises(InputError, match="at least 2"), rounded(network, bits):
        pytest.fail("entered")
    assert all(torch.equal(w, before[p]) for p, w in weights(network).items())
