"""What helps to read an energy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.report.front.diagnostics import diagnose, spikes_per_synapse


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
    found = diagnose(workload, cost)
    static = loihi.value("static_power") * cost.chips * cost.latency_us * 1e-3
    assert cost.energy_uj == pytest.approx(found.dynamic_uj + static)
    assert 0 < found.dynamic_uj < cost.energy_uj
    papers = load_machine("ops45_fp32").price(workload)
    assert diagnose(workload, papers).dynamic_uj == papers.energy_uj
