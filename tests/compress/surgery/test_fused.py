"""A plain LIF runs through the sLIF's pass with the same spikes, and stays spikingjelly's."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import nn

from autoprune.compress.surgery import batch_norm
from autoprune.compress.surgery.fused import fused
from autoprune.data.dataset import InMemory, Split
from autoprune.trial.training import Recipe, correct, train

X = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)) + 0.5


def lif(**changes: object) -> neuron.LIFNode:
    return neuron.LIFNode(**{"tau": 2.0, "step_mode": "m", **changes})


def is_fused(node: nn.Module) -> bool:
    return "multi_step_forward" in vars(node)


def run(node: nn.Module) -> list[torch.Tensor]:
    """Spikes of two calls in a row, the state behind them, and the gradient of the input."""
    functional.reset_net(node)
    x = X.clone().requires_grad_()
    spikes = [node(x), node(1.1 * x)]
    (torch.cat(spikes) * torch.arange(5.0)).sum().backward()
    return [*spikes, node.v, x.grad]


@pytest.mark.parametrize("tau", [2.0, 4.0])
@pytest.mark.parametrize("v_reset", [0.0, 0.1, None])
@pytest.mark.parametrize("decay_input", [True, False])
@pytest.mark.parametrize("detach_reset", [True, False])
@pytest.mark.parametrize("function", [surrogate.Sigmoid(), surrogate.ATan()])
def test_spikes_and_states_are_the_same(tau, v_reset, decay_input, detach_reset, function):
    node = lif(tau=tau, v_reset=v_reset, decay_input=decay_input, detach_reset=detach_reset)
    node.surrogate_function = function
    *expected, gradient = run(node)
    with fused(node):
        assert is_fused(node)
        *found, own = run(node)
    assert not is_fused(node)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    torch.testing.assert_close(own, gradient, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "node",
    [
        lif(tau=1.5),
        lif(step_mode="s"),
        lif(store_v_seq=True),
        lif(surrogate_function=nn.ReLU()),
        neuron.IFNode(step_mode="m"),
        neuron.ParametricLIFNode(step_mode="m"),
    ],
    ids=str,
)
def test_others_are_left_as_they_are(node):
    with fused(node):
        assert not is_fused(node)


def test_other_numbers_than_float32_are_spikingjellys():
    node = lif()
    expected = node(X.double())
    node.reset()
    with fused(node):
        assert torch.equal(node(X.double()), expected)
    assert expected.dtype == torch.float64


def test_within_itself_it_changes_nothing():
    """What a training tells of its progress may well evaluate the network."""
    node = lif()
    with fused(node):
        outer = node.multi_step_forward
        with fused(node):
            assert node.multi_step_forward is outer
        assert node.multi_step_forward is outer
    assert not is_fused(node)


def test_whatever_runs_over_data_runs_so():
    seen = set()
    model = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3), lif())
    model[2].register_forward_pre_hook(lambda node, _: seen.add(is_fused(node)))
    data = Split(store=InMemory(X[0]), indices=torch.arange(4), labels=torch.arange(4) % 3)
    recipe = Recipe(epochs=1, learning_rate=0.1, batch_size=2, weight_decay=0, label_smoothing=0)
    train(model, data, recipe, seed=0)
    correct(model, data)
    batch_norm.reestimate(model, [X[0]])
    assert seen == {True}
    assert not is_fused(model[2])
