"""What the tests share: one thread, a small network, and outcomes made without training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.plan import Effort, Plan
from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload
from autoprune.networks.shape import NetworkShape
from autoprune.networks.spikformer import SpikformerAdapter
from autoprune.networks.spikformer_patch import PatchSpikformer
from autoprune.runs.outcome import Outcome
from autoprune.trial.measurement import Measurement, Precision, Score, Seconds

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


@pytest.fixture
def outcome(
    shape: NetworkShape, effort: Effort, measured: Callable[..., Measurement]
) -> Callable[..., Outcome]:
    """Makes an outcome: `correct` of 100 right, and `zeros` of the weights save energy.

    `rounded` has what is right with fewer bits of a weight, by bits; `weight_bits` are the plan's.
    """

    def make(
        key: object,
        *,
        origin: str = "sampled",
        correct: int = 90,
        zeros: float = 0.0,
        rounded: Mapping[int, int] = MappingProxyType({}),
        weight_bits: int = 32,
        **fields: Any,
    ) -> Outcome:
        point = {"blocks.0.attention.l1p": zeros, "weight_bits": weight_bits}
        plan = make_plan(parse_configuration(point), shape, effort)
        values = {
            "key": str(key),
            "origin": origin,
            "configuration": (),
            "plan": plan,
            "seed": 0,
            "state": "measured",
            "measurement": measured(plan, correct=correct, zeros=zeros, rounded=rounded),
        }
        return Outcome(**{**values, **fields})

    return make


@pytest.fixture
def model() -> CostModel:
    return load_machine("ops45_fp32")


@pytest.fixture
def int8() -> CostModel:
    """A machine with weights of 8 bits."""
    return load_machine("ops45_int8")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long tests run only where they are asked for, such as ``pytest -m slow``."""
    for marker in ("slow", "faults", "fuzz"):
        if marker in config.option.markexpr:
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"long: run with -m {marker}"))
