"""What a network does entry by entry, against formulas, hooks and fvcore."""

from __future__ import annotations

import re

import pytest
import torch
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.networks.build import adapter_for
from autoprune.workload.census.count import count

STEPS, SAMPLES, WIDTH, SIDE = 3, 2, 4, 8


class Everything(nn.Module):
    """One of everything, and what looks like it and is not."""

    def __init__(self) -> None:
        super().__init__()
        self.T = STEPS
        self.conv = nn.Conv2d(1, WIDTH, 3, padding=1)
        self.bn = nn.BatchNorm2d(WIDTH)
        self.fire, self.again = (neuron.LIFNode(step_mode="m") for _ in range(2))
        self.position = nn.Parameter(torch.randn(WIDTH, SIDE // 2, SIDE // 2))
        self.register_buffer("shift", torch.ones(WIDTH, 1, 1))
        self.head = nn.Linear(WIDTH, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x.repeat(STEPS, 1, 1, 1)))
        x = F.max_pool2d(x, 3, 2, 1).unflatten(0, (STEPS, -1))
        x = 2 * self.fire(x + self.position) + 0  # neither 2 * nor + 0 adds anything
        x = x + self.again(x - self.shift)
        self.position + 1  # a constant alone is no activation
        return self.head(F.avg_pool2d(x.flatten(0, 1), 4).flatten(1)).unflatten(0, (STEPS, -1))


def test_one_of_everything():
    torch.manual_seed(0)
    workload = count(Everything().eval(), None, torch.rand(SAMPLES, 1, SIDE, SIDE))
    batch = STEPS * SAMPLES
    large, small = batch * WIDTH * SIDE**2, batch * WIDTH * SIDE**2 // 4
    assert {e.kind: (e.places, e.entries) for e in workload.elementwise} == {
        "pooling": (2, large + small),
        "batch_norm": (1, large),
        "bias": (4, large + small + small + batch * 5),  # conv, position, shift, head
        "residual": (1, small),
        "neuron_update": (2, 2 * small),
    }


@pytest.mark.parametrize("family", ["sdt", "token", "channel", "maxformer", "cifar", "spikformer"])
def test_families_against_hooks_and_fvcore(family, small):
    network, images = small(family), torch.rand(2, 3, 16, 16)
    workload = count(network, adapter_for(network, None), images)
    entries = {"batch_norm": 0, "neuron_update": 0, "bias": 0}
    neurons = sum(isinstance(m, neuron.BaseNode) for m in network.modules())

    def note(kind: str):
        def hook(_m: nn.Module, _x: object, out: Tensor) -> None:
            entries[kind] += out.numel()

        return hook

    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.register_forward_hook(note("batch_norm"))
        elif isinstance(module, neuron.BaseNode):
            module.register_forward_hook(note("neuron_update"))
        elif getattr(module, "bias", None) is not None:
            module.register_forward_hook(note("bias"))
    functional.reset_net(network)
    with torch.no_grad():
        network(images)
    found = {e.kind: e for e in workload.elementwise}
    assert {kind: found[kind].entries for kind in entries} == entries
    macs = {item.name: item.dense_macs for item in workload.uncounted}
    assert macs["batch_norm"] == 2 * found["batch_norm"].entries
    seen = {
        item.name: int(re.findall(r"(\d+) times", item.reason)[0])
        for item in workload.uncounted
        if not item.dense_macs
    }
    assert found["residual"].places == seen["add"]
    assert found["pooling"].places == seen["max_pool2d_with_indices"] + seen["mean"]
    assert found["neuron_update"].places == neurons
