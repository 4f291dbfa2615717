"""Small networks of every family, which fire without having been trained."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from spikingjelly.activation_based.model import maxformer, qkformer, spikformer
from spikingjelly.activation_based.model import spike_driven_transformer as sdt
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@pytest.fixture
def small() -> Callable[[str], nn.Module]:
    """Makes the small network of a family."""
    return make_small


@pytest.fixture
def firing_images() -> Callable[[int], Tensor]:
    """Makes so many images for it."""
    return lambda number: torch.rand(number, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def firing(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            assert module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, 0.0, 2.0)
            nn.init.uniform_(module.running_var, 0.02, 0.1)
    return network.eval()


def make_small(family: str) -> nn.Module:
    torch.manual_seed(0)
    made = {
        "sdt": lambda: sdt.SpikeDrivenTransformer(
            T=2, num_classes=4, embed_dims=16, num_heads=2, depths=1, pooling_stat="0011"
        ),
        "token": lambda: qkformer.QKFormer(
            T=2, num_classes=4, embed_dims=16, num_heads=(1, 2, 2), depths=(1, 1, 1)
        ),
        "channel": lambda: qkformer.QKFormer(
            T=2,
            num_classes=4,
            embed_dims=16,
            num_heads=(1, 2, 2),
            depths=(1, 1, 1),
            qka_type="channel",
        ),
        "maxformer": lambda: maxformer.MaxFormer(
            T=2, num_classes=4, embed_dims=16, depths=(1, 1, 1)
        ),
        "cifar": lambda: maxformer.MaxFormer(
            T=2, num_classes=4, embed_dims=32, depths=(1, 1, 1), cifar=True
        ),
        "spikformer": lambda: spikformer.Spikformer(
            T=2, num_classes=4, embed_dims=16, num_heads=2, depths=1, patch_size=4
        ),
    }[family]()
    return firing(made)
