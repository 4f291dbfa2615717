"""roofline: the example file, by hand on either side of the ridge."""

from __future__ import annotations

import pytest

from autoprune.cost.contract import check_contract
from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.workload.workload import Workload
from tests.operations import altered


@pytest.fixture
def gpu(root):
    return load_machine(str(root / "docs" / "my_gpu.toml"))


def layer(size: int) -> Workload:
    """A square product of one step: M = K = N."""
    op = altered(
        sample_workload(steps=1, samples=1).ops[1],
        m=size,
        k=size,
        n=size,
        a_size=size * size,
        b_size=size * size,
        b_nonzeros=size * size,
        dense_macs=size**3,
    )
    return Workload(network="n", samples=1, time_steps=1, ops=(op,))


def test_the_example_keeps_the_contract(gpu):
    check_contract(gpu)


def test_small_operations_wait_for_memory_and_large_ones_for_arithmetic(gpu):
    """Peak 10 TOP/s x 0.5, 500 GB/s at 4 bytes, 10 us each: the ridge of a square product is at
    2 n^3 / 5e6 = 12 n^2 / 5e5, n = 60.
    """
    small, large = gpu.price(layer(32)), gpu.price(layer(512))
    assert small.latency_us == pytest.approx(10 + 3 * 32 * 32 * 4 / 5e5)
    assert large.latency_us == pytest.approx(10 + 2 * 512**3 / 5e6)
    assert large.energy_uj == pytest.approx(100 * large.latency_us)


def test_sparsity_buys_nothing_and_structure_does(gpu):
    dense = gpu.price(sample_workload())
    assert gpu.price(sample_workload(zeros=0.9)).energy_uj == dense.energy_uj
    assert gpu.price(sample_workload(width=8)).energy_uj < dense.energy_uj
