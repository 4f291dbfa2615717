"""gated_array: SATA's cycles as released, its rule by hand, and how little sparsity buys on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.workload.workload import Workload
from tests.operations import altered

SATA = load_machine("sata")


@pytest.mark.parametrize(
    ("network", "sizes", "published"),
    [
        ("direct, layer 0", (900, 27, 128), 44_687),
        ("direct, layer 1", (900, 1152, 256), 2_141_375),
        ("direct, fc1", (1, 8192, 1024), 1_051_391),
        ("lth, layer 10", (196, 2304, 256), 967_615),
        ("bntt, layer 1", (900, 576, 64), 272_687),
    ],
)
def test_cycles_of_a_step(oracle, network, sizes, published):
    """Released results of SATA_Sim (commit d447058), ``cycle-stat.yaml``: where the reads of the
    output buffer begin, and how many cycles they take. Equal on all 68 layers of its six networks.
    """
    (m, k, n), blank = sizes, sample_workload(steps=1, samples=1).ops[1]
    layer = altered(blank, m=m, k=k, n=n, b_size=k * n, b_nonzeros=k * n)
    cost = SATA.price(Workload(network="n", samples=1, time_steps=1, ops=(layer,)))
    oracle("gated_array", network, cost.cycles, published, went_in="shapes", unit="cycles")


def test_energy_of_one_layer_by_hand():
    """M = 8, K = 32, N = 16, T = 4 on 16 x 8: two folds of 54 cycles, less one, 2.5 ns each."""
    workload = sample_workload(zeros=0.5, samples=1)
    layer = workload.ops[1]
    cost = SATA.price(replace(workload, ops=(layer,)))
    assert cost.cycles == 107 * 4
    assert cost.latency_us == pytest.approx(428 * 2.5e-3)
    running, sops = 428 * 128 * 2.5, layer.work.effective_sops * 2.5
    updates = 4 * 8 * 16 * 2.5
    expected = (
        (0.02511 + 0.11241) * sops
        + 0.01886 * updates
        + (0.01924 + 6.2e-5 + 0.21233 + 5.23e-4 + 0.05625 + 8.4e-5) * running
    )
    expected += 32 * 16 * 6.529  # weights, once
    expected += (8 * 32 * 2 + 8 * 16) * 4 / 8 * 2.750  # spikes in, once per fold, and out
    expected += 32 * 16 * 55.58
    assert cost.energy_pj == pytest.approx(expected)
    assert cost.area_mm2 == pytest.approx(128 * (97 + 891 + 129) * 1e-6)


def test_unstructured_sparsity_saves_at_most_twofold():
    """97.5 % zero weights: 15x claimed from synaptic operations, 1.3x on SATA (Bhattacharjee et
    al., arXiv 2309.03388, Table II). Ours stays below 2x while the operations fall 40 times.
    """
    dense = sample_workload(width=128, spikes=0.2)
    sparse = sample_workload(width=128, spikes=0.2, zeros=0.975)
    assert SATA.price(dense).cycles == SATA.price(sparse).cycles
    ratio = SATA.price(dense).energy_uj / SATA.price(sparse).energy_uj
    assert 1 < ratio < 2
    silent = sample_workload(width=128, spikes=0.002, zeros=0.975)
    assert SATA.price(dense).energy_uj / SATA.price(silent).energy_uj < 2


def test_rank_saves_in_steps_of_the_array():
    energies = [SATA.price(sample_workload(width=w)).cycles for w in (15, 16, 17, 32)]
    assert energies[0] < energies[1] < energies[2]  # the width is also another layer's K
    whole = [sample_workload(width=width) for width in (9, 16)]
    narrow, wide = (replace(workload, ops=workload.ops[1:2]) for workload in whole)
    assert SATA.price(narrow).cycles == SATA.price(wide).cycles


def test_groups_run_one_after_the_other_and_bring_weights_of_their_own():
    workload = sample_workload(samples=1)
    layer = workload.ops[1]
    one = SATA.price(replace(workload, ops=(layer,)))
    two = SATA.price(replace(workload, ops=(altered(layer, groups=2, b_size=2 * layer.b.size),)))
    assert two.cycles == 2 * one.cycles
    for price in ("dram", "weight_buffer"):
        loaded = [sum(t.count for t in cost.terms if t.price == price) for cost in (one, two)]
        assert loaded[1] == 2 * loaded[0] > 0
