"""What the tests share: one thread, a small network, and outcomes made without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.cost.sample import sample_workload
from autoprune.measurement import Measurement, Precision, Score, Seconds
from autoprune.models.spikformer import SpikformerAdapter
from autoprune.models.spikformer_patch import PatchSpikformer
from autoprune.plan import Effort, Plan
from autoprune.shape import NetworkShape

torch.set_num_threads(1)


@pytest.fixture
def adapter() -> SpikformerAdapter:
    return SpikformerAdapter()


@pytest.fixture
def network() -> PatchSpikformer:
    """A network of 2 blocks that fires: batch norm with statistics of its own and a wide scale."""
    return make_network()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(5))


@pytest.fixture
def effort() -> Effort:
    return Effort(time_steps=3, learning_rate=1e-3, epochs=1)


def make_network(seed: int = 3) -> PatchSpikformer:
    torch.manual_seed(seed)
    network = PatchSpikformer(
        T=3,
        in_channels=1,
        img_size_h=8,
        img_size_w=8,
        num_classes=4,
        embed_dims=12,
        depths=2,
        num_heads=3,
        mlp_ratio=2.0,
    )
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            assert module.running_mean is not None and module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, 0.0, 2.5)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.02, 0.1)
    return network.eval()


@pytest.fixture
def measured() -> Callable[..., Measurement]:
    """Makes a measurement of a plan without training: accuracy given, costs fall with zeros.

    `rounded` has what is correct with weights of fewer bits, by bits; more are zero there.
    """

    def make(
        plan: Plan,
        *,
        correct: int = 90,
        seed: int = 0,
        zeros: float = 0.0,
        rounded: Mapping[int, int] = MappingProxyType({}),
    ) -> Measurement:
        own = plan.effort.weight_bits
        return Measurement(
            plan=plan,
            seed=seed,
            precisions=tuple(
                Precision(
                    bits=bits,
                    validation=Score(correct=hits, total=100),
                    test=Score(correct=hits, total=100),
                    workload=sample_workload(zeros=zeros + (1 - zeros) * (own - bits) / 100),
                )
                for bits, hits in {own: correct, **rounded}.items()
            ),
            parameters=1000,
            kept_weights=1 - zeros,
            seconds=Seconds(training=1.0, evaluation=0.1, census=0.1, other=0.01),
        )

    return make


@pytest.fixture
def shape(adapter: SpikformerAdapter, network: PatchSpikformer) -> NetworkShape:
    return adapter.shape(network)


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests run only where they are asked for, such as ``pytest -m slow``."""
    for marker in ("slow", "faults", "fuzz"):
        if marker in config.option.markexpr:
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"long: run with -m {marker}"))
