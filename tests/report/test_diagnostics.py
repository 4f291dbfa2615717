"""What helps to read an energy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.report.front.diagnostics import diagnose, range_words, spikes_per_synapse


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


def test_static_power_stands_apart():
    workload, loihi = sample_workload(), load_machine("loihi1")
    cost = loihi.price(workload)
    found = diagnose(workload, cost, loihi.machine.prices)
    static = loihi.value("static_power") * cost.chips * cost.latency_us * 1e-3
    assert cost.energy_uj == pytest.approx(found.dynamic_uj + static)
    assert 0 < found.dynamic_uj < cost.energy_uj
    plain = load_machine("ops45_fp32")
    papers = plain.price(workload)
    found = diagnose(workload, papers, plain.machine.prices)
    assert (found.dynamic_uj, found.least_uj) == (papers.energy_uj, None)


def test_both_ends_of_a_range_by_hand():
    """TrueNorth, 2.5 to 26 pJ an operation, and nothing else charged; an A100 takes 84 to 96 W."""
    workload = sample_workload()
    for name, share in (("truenorth", 2.5 / 26), ("a100", 84 / 96)):
        model = load_machine(name)
        cost = model.price(workload)
        found = diagnose(workload, cost, model.machine.prices)
        assert found.least_uj == pytest.approx(share * cost.energy_uj)
    assert range_words(model.machine.prices) == "power at 84000 to 96000 mW"
    assert range_words(load_machine("odin").machine.prices) == ""
