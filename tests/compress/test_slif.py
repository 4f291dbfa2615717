"""sLIF: repeats the LIF until it learns; its gradients are those of the smooth forward pass."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import functional, neuron, surrogate

from autoprune.compress.slif import SLIFNode
from autoprune.errors import CompressionError

CHANNELS = [(), (5, 1)]


def lif(threshold: float = 1.0, *, detach: bool = True, tau: float = 2.0) -> neuron.LIFNode:
    return neuron.LIFNode(tau=tau, v_threshold=threshold, detach_reset=detach, step_mode="m")


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("threshold", [1.0, 0.5])
def test_fresh_slif_repeats_the_lif_bit_for_bit(channels, threshold):
    x = torch.randn(6, 4, 5, 7, generator=torch.Generator().manual_seed(0)) * 2
    original = lif(threshold)
    spikes = original(x)
    assert torch.equal(SLIFNode(original, "both", channels)(x), spikes)
    assert 0.1 < spikes.mean() < 0.9


@pytest.mark.parametrize("learns", ["threshold", "tau", "both"])
@pytest.mark.parametrize("channels", CHANNELS)
def test_only_what_is_chosen_learns(learns, channels):
    node = SLIFNode(lif(), learns, channels)
    x = torch.randn(4, 3, 5, 7, generator=torch.Generator().manual_seed(1)) + 1
    optimizer = torch.optim.SGD([p for p in node.parameters() if p.requires_grad], lr=1.0)
    for _ in range(5):
        functional.reset_net(node)
        optimizer.zero_grad()
        node(x).mean().backward()
        optimizer.step()
    assert bool((node.threshold_log != 0).any()) == (learns in ("threshold", "both"))
    assert bool((node.decay_logit != 0).any()) == (learns in ("tau", "both"))
    assert (node.threshold > 0).all()
    assert ((node.decay > 0) & (node.decay < 1)).all()


def smooth_loss(node: SLIFNode, x: torch.Tensor, resets: list[torch.Tensor] | None):
    """Weighted sum of smooth spikes by the formula, reset spikes held where they are given."""
    weights = torch.linspace(-1, 1, x[0].numel(), dtype=x.dtype).reshape(x[0].shape)
    v, total = torch.zeros_like(x[0]), torch.zeros((), dtype=x.dtype)
    for t, step in enumerate(x):
        h = v + (step - v) * node.decay
        spike = torch.sigmoid(4.0 * (h - node.threshold))
        reset = spike if resets is None else resets[t]
        v = h * (1 - reset)
        total = total + (spike * weights).sum() * (t + 1)
    return total


@pytest.mark.parametrize("detach", [False, True])
@pytest.mark.parametrize("channels", CHANNELS)
def test_gradients_are_those_of_the_smooth_forward_pass(detach, channels):
    node = SLIFNode(lif(detach=detach), "both", channels).double()
    node.threshold_log.data.uniform_(-0.3, 0.3, generator=torch.Generator().manual_seed(2))
    node.decay_logit.data.uniform_(-0.5, 0.5, generator=torch.Generator().manual_seed(3))
    x = torch.randn(3, 2, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    x.requires_grad_()
    node.surrogate_function = surrogate.Sigmoid(alpha=4.0, spiking=False)
    weights = torch.linspace(-1, 1, x[0].numel(), dtype=x.dtype).reshape(x[0].shape)
    spikes = node(x)
    sum(((t + 1) * spike * weights).sum() for t, spike in enumerate(spikes)).backward()
    resets = list(spikes.detach()) if detach else None
    for parameter in (node.threshold_log, node.decay_logit, x):
        numeric = torch.zeros_like(parameter)
        flat, grad = parameter.data.reshape(-1), numeric.reshape(-1)
        for i in range(flat.numel()):
            value = float(flat[i])
            ends = []
            for nudged in (value + 1e-6, value - 1e-6):
                flat[i] = nudged
                with torch.no_grad():
                    ends.append(float(smooth_loss(node, x, resets)))
            flat[i] = value
            grad[i] = (ends[0] - ends[1]) / 2e-6
        assert torch.allclose(parameter.grad, numeric, rtol=1e-5, atol=1e-7)
        assert numeric.abs().max() > 1e-3


def test_backward_uses_the_surrogate_of_the_lif():
    node = SLIFNode(lif(), "both")
    assert isinstance(node.surrogate_function, surrogate.Sigmoid)
    assert node.surrogate_function.alpha == 4.0


def test_state_is_kept_until_reset():
    node, x = SLIFNode(lif(), "both"), torch.full((1, 1, 3), 0.9)
    first = node(x)
    second = node(x)
    third = node(torch.full((1, 1, 3), 1.4))
    assert (first.sum(), second.sum(), third.sum()) == (0, 0, 3)
    functional.reset_net(node)
    assert node(torch.full((1, 1, 3), 1.4)).sum() == 0


def test_gradients_are_those_of_spikingjelly():
    """The LIF that it took over, with spikes and the surrogate gradient, from the same state."""
    x = torch.randn(4, 3, 5, 7, generator=torch.Generator().manual_seed(6)) * 2
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(7))
    for detach in (False, True):
        original, gradients = lif(detach=detach), []
        for node in (original, SLIFNode(original, "both")):
            mine = x.clone().requires_grad_()
            functional.reset_net(node)
            node(torch.full_like(x, 0.7))
            (node(mine) * weights).sum().backward()
            gradients.append(mine.grad)
        assert torch.allclose(*gradients, rtol=1e-5, atol=1e-7)


def test_a_lif_without_hard_reset_is_refused():
    soft = neuron.LIFNode(tau=2.0, v_reset=None, step_mode="m")
    with pytest.raises(CompressionError, match="hard reset"):
        SLIFNode(soft, "both")
