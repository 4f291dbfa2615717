"""The value of every metric of a measurement."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.runs.metrics import metric_value


@pytest.fixture
def measurement(outcome):
    return outcome(0, correct=87).measurement


def test_plain_metrics_are_the_measurements_own(measurement) -> None:
    assert metric_value("accuracy", measurement, {}) == 0.87
    assert metric_value("parameters", measurement, {}) == 1000
    ops = [op for op in measurement.workload.ops if op.order != "published"]
    assert (
        metric_value("effective_sops", measurement, {})
        == sum(op.work.effective_sops for op in ops) / 2
    )


def test_metrics_of_a_machine_are_what_it_charges(measurement) -> None:
    model = load_machine("loihi1")
    cost = model.price(measurement.workload)
    machines = {"loihi1": model}
    assert metric_value("energy_uj@loihi1", measurement, machines) == cost.energy_uj > 0
    assert metric_value("latency_us@loihi1", measurement, machines) == cost.latency_us > 0
    static = sum(t.energy_pj for t in cost.terms if t.cause == "static power") * 1e-6
    dynamic = metric_value("dynamic_uj@loihi1", measurement, machines)
    assert dynamic == pytest.approx(cost.energy_uj - static) and static > 0
    assert metric_value("host_share@loihi1", measurement, machines) == cost.host_share > 0
    assert metric_value("memory_kib@loihi1", measurement, machines) == cost.memory_kib > 0


def test_limits_that_are_exceeded_are_counted(measurement, model) -> None:
    loihi1 = load_machine("loihi1")
    tight = tuple(replace(limit, value=1.0) for limit in loihi1.machine.limits)
    machines = {
        "loihi1": loihi1,
        "tight": type(loihi1)(replace(loihi1.machine, limits=tight)),
        "ops45_fp32": model,
    }
    assert metric_value("over_limits@loihi1", measurement, machines) == 0
    assert metric_value("over_limits@tight", measurement, machines) == 1  # inputs; one chip is one
    with pytest.raises(UnknownCost, match="ops45_fp32: defines no limits"):
        metric_value("over_limits@ops45_fp32", measurement, machines)


def test_metrics_of_a_machine_are_those_of_its_bits(outcome, model) -> None:
    loihi1 = load_machine("loihi1")
    machines = {"loihi1": loihi1, "ops45_fp32": model}
    found = outcome(0, correct=87, rounded={8: 60}).measurement
    assert metric_value("accuracy", found, machines) == 0.87
    assert metric_value("accuracy@ops45_fp32", found, machines) == 0.87
    assert metric_value("accuracy@loihi1", found, machines) == 0.6
    cost = loihi1.price(found.precisions[1].workload)
    assert metric_value("energy_uj@loihi1", found, machines) == cost.energy_uj
    assert metric_value("latency_us@loihi1", found, machines) == cost.latency_us
    assert cost.energy_uj != loihi1.price(found.workload).energy_uj
    ops = found.workload.total("effective_sops")
    assert metric_value("effective_sops", found, machines) == ops / found.workload.samples


def test_a_score_of_ones_own_has_a_machines_form_too(outcome, model) -> None:
    found = outcome(0, correct=87).measurement
    score = replace(found.validation, name="top5")
    own = replace(found, precisions=(replace(found.precisions[0], validation=score),))
    assert metric_value("top5@ops45_fp32", own, {"ops45_fp32": model}) == 0.87
    with pytest.raises(KeyError):
        metric_value("accuracy@ops45_fp32", own, {"ops45_fp32": model})


@pytest.mark.parametrize("bits", [4, 32])
def test_weight_bits_are_those_of_the_plan(outcome, bits) -> None:
    assert metric_value("weight_bits", outcome(0, weight_bits=bits).measurement, {}) == bits


def test_a_latency_that_a_machine_does_not_define_is_an_error(measurement) -> None:
    machines = {"ops45_fp32": load_machine("ops45_fp32")}
    with pytest.raises(UnknownCost, match="ops45_fp32: defines no latency"):
        metric_value("latency_us@ops45_fp32", measurement, machines)
