"""A machine that would charge nothing for any plan is refused before anything trains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.report.tables.workload import coverage_lines
from autoprune.study.idle import refuse_idle
from autoprune.workload.parts import NO_NEURONS
from autoprune.workload.workload import Found, Workload
from tests.refusals import assert_refused

MACHINES = {name: load_machine(name) for name in ("ops45_fp32", "loihi1")}


def real(*, spiking: bool) -> Workload:
    """The sample's operations on real numbers."""
    sample = sample_workload()
    ops = (op for op in sample.ops if op.a.kind == "real")
    made = tuple(op if spiking else replace(op, neurons=NO_NEURONS) for op in ops)
    return replace(sample, ops=made)


@pytest.mark.parametrize(
    ("spiking", "words"),
    [
        (False, "s.toml: loihi1 charges nothing for sample: all of its 2*no spiking neuron was"),
        (True, "s.toml: loihi1 charges nothing for sample: all of its 2 operations are a host's;"),
    ],
)
def test_a_network_of_real_numbers_leaves_an_event_driven_chip_nothing(spiking, words):
    assert_refused(words, refuse_idle, real(spiking=spiking), MACHINES, "s.toml")
    refuse_idle(real(spiking=spiking), {"ops45_fp32": MACHINES["ops45_fp32"]}, "s.toml")


def test_a_silent_network_is_none():
    sample = sample_workload()
    layer = sample.ops[1]
    nothing = dict.fromkeys(("events", "nonzeros"), 0) | {"events_per_step": (0,) * 4}
    silent = replace(layer, a=replace(layer.a, **nothing, nonzeros_per_step=(0,) * 4))
    refuse_idle(replace(sample, ops=(silent,)), MACHINES, "s.toml")


def test_a_profile_says_what_is_not_known_of_neurons():
    found = (Found(module="net.fire", neurons=12),)
    lines = [*coverage_lines(replace(real(spiking=False), found=found))]
    assert [line for line in lines if "net.fire" in line] == [
        "net.fire: 12 neurons of no known class, found by what they emit; their updates are not "
        "known, and one a step is counted."
    ]
    (line,) = [line for line in lines if line.startswith("No spiking neuron was found")]
    assert line not in [*coverage_lines(sample_workload())]
