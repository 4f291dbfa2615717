"""Small networks of every family, and one of a user's own, that fire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.build import adapter_for, build
from autoprune.plugin import make_importable

make_importable(Path(__file__).resolve().parent.parent / "studies")  # own_network.py

SIDE = 16
Formula = Callable[[int], int]
"""Parameters of a branch by the inner dimensions that it keeps in all."""


@dataclass(frozen=True)
class Case:
    """A family at some sizes.

    Attributes:
        formulas: parameters of every branch of every block, in order.
    """

    model: str
    arguments: dict[str, Any]
    formulas: tuple[Formula, ...]
    adapter: str | None = None

    def make(self) -> tuple[nn.Module, ModelAdapter]:
        torch.manual_seed(3)
        offered = {
            "T": 3,
            "in_channels": 2,
            "img_size_h": SIDE,
            "img_size_w": SIDE,
            "num_classes": 4,
        }
        network = build(self.model, self.arguments, offered)
        adapter = adapter_for(network, self.adapter)
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                assert module.running_mean is not None and module.running_var is not None
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.uniform_(module.bias, 0.0, 2.0)
                nn.init.normal_(module.running_mean, std=0.1)
                nn.init.uniform_(module.running_var, 0.02, 0.1)
        return network.eval(), adapter


def ssa(d: int, *, bias: int = 0) -> Formula:
    """Fused q, k, v and projection with batch norm; only a projection has biases."""
    return lambda k: 3 * d * k + 2 * 3 * k + k * d + bias * d + 2 * d


def qka(d: int) -> Formula:
    return lambda k: 2 * d * k + 2 * 2 * k + k * d + 2 * d


def sdsa(d: int) -> Formula:
    return lambda k: 3 * (d * k + 2 * k) + k * d + d + 2 * d


def mlp(d: int, *, bias: int) -> Formula:
    return lambda h: d * h + bias * h + 2 * h + h * d + bias * d + 2 * d


def mixer(d: int, kernel: int, rest: int) -> Formula:
    """A depth-wise convolution with bias and batch norm; its block's MLP counts `rest`."""
    return lambda _: d * kernel**2 + d + 2 * d + rest


def dense(d: int, *, k: int) -> Formula:
    """`k` linear layers with biases and batch norm into the inner dimensions, one out of them."""
    return lambda h: k * (d * h + h + 2 * h) + h * d + d + 2 * d


_QK = {"embed_dims": 16, "num_heads": [1, 2, 2], "depths": [1, 1, 1], "mlp_ratio": 2.0}
_QK_FORMULAS = (
    qka(4),
    mlp(4, bias=1),
    qka(8),
    mlp(8, bias=1),
    ssa(16),
    mlp(16, bias=1),
)
_SDT = {"embed_dims": 16, "num_heads": 2, "depths": 2, "pooling_stat": "0011"}
_SPIKFORMER = {"embed_dims": 16, "num_heads": 2, "depths": 2, "mlp_ratio": 1.5}
CASES = {
    "spikformer": Case(
        "spikformer", {**_SPIKFORMER, "patch_size": 4}, (ssa(16), mlp(16, bias=0)) * 2
    ),
    "spikformer_patch": Case("spikformer_patch", _SPIKFORMER, (ssa(16), mlp(16, bias=0)) * 2),
    "sdt": Case(
        "spike_driven_transformer", {**_SDT, "mlp_ratio": 1.5}, (sdsa(16), mlp(16, bias=1)) * 2
    ),
    "sdt_shortcut": Case(
        "spike_driven_transformer", {**_SDT, "mlp_ratio": 1.0}, (sdsa(16), mlp(16, bias=1)) * 2
    ),
    "qkformer_token": Case("qkformer", {**_QK, "qka_type": "token"}, _QK_FORMULAS),
    "qkformer_channel": Case("qkformer", {**_QK, "qka_type": "channel"}, _QK_FORMULAS),
    "maxformer": Case(
        "maxformer",
        {"embed_dims": 16, "depths": [1, 1, 1], "mlp_ratio": 2.0},
        (
            mixer(4, 7, mlp(4, bias=1)(8)),
            mlp(4, bias=1),
            mixer(8, 5, mlp(8, bias=1)(16)),
            mlp(8, bias=1),
            ssa(16),
            mlp(16, bias=1),
        ),
    ),
    "maxformer_cifar": Case(
        "maxformer",
        {"embed_dims": 16, "depths": [1, 1, 2], "mlp_ratio": 2.0, "cifar": True},
        (
            mlp(4, bias=1),
            mixer(8, 3, mlp(8, bias=1)(16)),
            mlp(8, bias=1),
            ssa(16, bias=1),
            mlp(16, bias=1),
            ssa(16, bias=1),
            mlp(16, bias=1),
        ),
    ),
    "own": Case(
        "own_network:build",
        {},
        (dense(12, k=3), dense(12, k=1)) * 2,
        adapter="own_network:OwnAdapter",
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(
    params=[
        "cpu",
        pytest.param(
            "cuda",
            marks=[
                pytest.mark.gpu,
                pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
            ],
        ),
    ]
)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def images(device: str) -> Tensor:
    return torch.rand(4, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(5)).to(device)
