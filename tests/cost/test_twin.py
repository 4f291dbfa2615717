"""The equal-bit ANN twin, and spikes per synapse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload, with_spike_logic
from autoprune.cost.twin import ann_twin, spikes_per_synapse, twin_bits


@pytest.mark.parametrize(("steps", "ratio"), [(3, 1.5), (7, 2.338), (15, 3.762)])
def test_a_spiking_network_moves_more_bits_than_its_twin(oracle, steps, ratio):
    """Yan et al., arXiv 2409.08290: dense movement of a spiking network against its twin, simulated
    for T = 3, 7, 15 as 1.500, 2.338, 3.762; the formula T / ceil(log2(T + 1)) gives 1.5, 2.333,
    3.75. Within 0.4 %.
    """
    ours = steps / twin_bits(steps)
    oracle("ANN twin", f"dense movement, T = {steps}", ours, ratio, went_in="shapes", rel=4e-3)


def test_the_twin_runs_once_on_numbers():
    workload = with_spike_logic(sample_workload(zeros=0.5))
    twin = ann_twin(workload, 3)
    assert twin.time_steps == 1
    for spiking, op in zip(workload.ops, twin.ops, strict=True):
        assert (op.a.kind, op.sizes.time_steps, op.neurons.count) == ("real", 1, 0)
        assert (op.sizes.m, op.sizes.k, op.sizes.n, op.b.bits) == (
            spiking.sizes.m,
            spiking.sizes.k,
            spiking.sizes.n,
            op.b.bits,
        )
        if spiking.b.kind == "weight":
            assert op.b.nonzeros == spiking.b.nonzeros
        if spiking.work.dense_macs:
            assert op.work.real_macs * spiking.sizes.time_steps == spiking.work.dense_macs
        else:
            assert op.work.real_macs * spiking.sizes.time_steps == spiking.a.size
        assert op.a.bits == (32 if spiking.a.kind == "real" else 3)


def test_the_twin_on_the_papers_machine_is_its_macs_at_the_nonzero_weights():
    workload = sample_workload(zeros=0.5)
    papers = load_machine("ops45_fp32")
    macs = 0.0
    for op in ann_twin(workload, 3).select("published"):
        share = op.b.nonzeros / op.b.size if op.b.kind == "weight" else 1
        macs += op.work.real_macs / workload.samples * share
    assert papers.price(ann_twin(workload, 3)).energy_pj == pytest.approx(4.6 * macs)


def test_spikes_per_synapse_by_hand():
    """fc1 has 32 x 16 weights at 8 positions; with every input spiking in each of 4 steps every
    synapse is used 4 times, whatever the share of zeros; at a quarter of the inputs once.
    """
    for zeros in (0.0, 0.5):
        every = sample_workload(zeros=zeros, spikes=1.0)
        assert spikes_per_synapse(every) == pytest.approx(4)
    assert spikes_per_synapse(sample_workload()) == pytest.approx(1)
    nothing = replace(sample_workload(), ops=sample_workload().ops[:1])
    assert spikes_per_synapse(nothing) == 0
