"""What DSP ranks dimensions by: weights, spikes, or both."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import functional

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.surgery.apply import Manner, compress
from autoprune.compress.surgery.criteria import l1, significance
from autoprune.errors import InputError


@pytest.fixture
def spikes(network, images):
    """The spikes [T, B, C, L] that the first block's q, k, v and hidden neurons emit."""
    seen = {}
    block = network.blocks[0]
    for name, neuron in (("qkv", block.attn.qkv_lif), ("hidden", block.mlp.neuron1)):
        neuron.register_forward_hook(lambda _m, _x, out, name=name: seen.update({name: out}))
    with torch.no_grad():
        network(images)
    functional.reset_net(network)
    return seen


def test_activity_is_the_firing_rate(network, adapter, images, spikes):
    attention, mlp = adapter.branches(network)[0]
    activity = significance("activity", network, [attention, mlp], images)
    rates = spikes["qkv"].double().mean((0, 1, 3))
    (qk, v), (hidden,) = attention.ties, mlp.ties
    assert torch.allclose(activity(qk, 12), rates[:12] + rates[12:24])
    assert torch.allclose(activity(v, 12), rates[24:])
    assert torch.allclose(activity(hidden, 24), spikes["hidden"].double().mean((0, 1, 3)))
    both = significance("l1_activity", network, [attention, mlp], images)
    assert torch.equal(both(qk, 12), l1(qk, 12) * activity(qk, 12))
    assert len(activity(qk, 12).unique()) > 3


def test_the_most_active_units_stay(network, adapter, shape, images, effort, spikes):
    plan = make_plan(parse_configuration({"blocks.0.mlp.dsp": 0.25}), shape, effort)
    model = compress(
        network, plan, adapter, Manner(options={"dsp_score": "activity"}, samples=images)
    )
    rates = spikes["hidden"].double().mean((0, 1, 3))
    kept = rates.argsort(descending=True, stable=True)[:6].sort().values
    parent = network.blocks[0].mlp.fc1[0].weight[kept]
    assert torch.equal(model.blocks[0].mlp.fc1[0].weight, parent)
    by_weight = compress(network, plan, adapter)
    assert not torch.equal(by_weight.blocks[0].mlp.fc1[0].weight, parent)


def test_swapped_neurons_are_reset_after_activity_was_measured(
    network, adapter, shape, images, effort
):
    """Measuring fills spikingjelly's list of modules to reset, which the swap must invalidate."""
    point = {f"blocks.{i}.neuron.tau": "layer" for i in (0, 1)} | {"blocks.0.mlp.dsp": 0.5}
    ranking = Manner(options={"dsp_score": "activity"}, samples=images)
    model = compress(
        network, make_plan(parse_configuration(point), shape, effort), adapter, ranking
    )
    with torch.no_grad():
        first = model(images)
        functional.reset_net(model)
        assert torch.equal(model(images), first)


def test_unknown_criterion(network, adapter, images):
    with pytest.raises(InputError, match="did you mean 'activity'"):
        significance("activty", network, [], images)
