"""Where a product was not zero, followed through views and pools to a neuron."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor, nn
from torch.nn import functional as F

from autoprune.workload.census.count import count

STEPS, SAMPLES = 2, 3


class Behind(nn.Module):
    """A convolution of frames that are silent in large parts, then `between`, then neurons."""

    def __init__(self, between, *, bias: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.between = STEPS, between
        self.conv = nn.Conv2d(2, 4, 3, padding=1, bias=bias)
        self.fire, self.more = (neuron.LIFNode(step_mode="m") for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x.flatten(0, 1))
        parts = self.between(x)
        parts = parts if isinstance(parts, tuple) else (parts,)
        for part, fire in zip(parts, (self.fire, self.more), strict=False):
            fire(part if part.shape[:2] == (STEPS, SAMPLES) else part.unflatten(0, (STEPS, -1)))
        return x


def frames() -> Tensor:
    """Events in one corner, everywhere, and in the last sample none at first."""
    generator = torch.Generator().manual_seed(1)
    x = torch.zeros(SAMPLES, STEPS, 2, 8, 8)
    corner = torch.rand(SAMPLES, STEPS, 2, 3, 3, generator=generator) < 0.5
    x[:, :, :, :3, 1:4] = corner.float()
    x[1] = 1
    x[-1, 0] = 0
    return x


def by_hand(network: Behind) -> Tensor:
    """The entries of the convolution without bias, [T B, ...], that are not 0; as 0 and 1."""
    x = frames().transpose(0, 1).flatten(0, 1)
    return (F.conv2d(x, network.conv.weight, padding=1) != 0).double()


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("between", "expected"),
    [
        (lambda x: x, lambda t: t),
        (lambda x: 0.5 * x, lambda t: t),
        (lambda x: F.max_pool2d(x, 3, 2, 1), lambda t: F.max_pool2d(t, 3, 2, 1)),
        (lambda x: F.avg_pool2d(x, 2), lambda t: F.max_pool2d(t, 2)),
        (lambda x: F.adaptive_avg_pool2d(x, 2), lambda t: F.max_pool2d(t, 4)),
        (lambda x: F.max_pool2d(F.max_pool2d(x, 2), 2), lambda t: F.max_pool2d(t, 4)),
        (lambda x: F.max_pool2d(x.mT, 2).flatten(1), lambda t: F.max_pool2d(t, 2)),
        (lambda x: x.flatten(2).mean(2), lambda t: t.flatten(2).amax(2)),
        (lambda x: x[:, :1], lambda t: t[:, :1]),
        (lambda x: tuple(x.chunk(2, 1)), lambda t: t),
        (lambda x: tuple(x.chunk(2, 2)), lambda t: t),
        (lambda x: tuple(x.split([3, 5], 3)), lambda t: t),
        (lambda x: x.unflatten(0, (STEPS, -1)).permute(0, 1, 3, 4, 2), lambda t: t),
        (lambda x: x.expand(2, *x.shape)[0], lambda t: t),
    ],
)
def test_touched_entries_reach_the_neurons(between, expected, bias):
    network = Behind(between, bias=bias).eval()
    op = count(network, None, frames()).ops[0]
    reached = expected(by_hand(network))
    assert (op.neurons.updates_active, op.neurons.updates_inactive) == (
        int((reached > 0).sum()),
        int((reached == 0).sum()),
    )
    assert op.neurons.updates_inactive > 0


def test_a_path_that_changes_the_number_of_entries_touches_all():
    network = Behind(lambda x: F.interpolate(x, scale_factor=2), bias=False).eval()
    assert count(network, None, frames()).ops[0].neurons.updates_inactive == 0


def test_products_of_tokens():
    """A linear layer sees time and batch as one axis; what is behind it does not."""

    class Tokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.T, self.layer = STEPS, nn.Linear(8, 4)
            self.fire = neuron.LIFNode(step_mode="m")

        def forward(self, x: Tensor) -> Tensor:
            return self.fire(self.layer(x[:, :, 0]).mean(2))

    network = Tokens().eval()
    op = count(network, None, frames()).ops[0]
    x = frames().transpose(0, 1)[:, :, 0]
    reached = (F.linear(x, network.layer.weight) != 0).any(2)
    assert 0 < op.neurons.updates_active == int(reached.sum()) < reached.numel()
