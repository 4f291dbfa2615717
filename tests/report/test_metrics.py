"""The value of every metric of a measurement."""

from __future__ import annotations

import pytest

from autoprune.cost.cost import UnknownCost
from autoprune.cost.load import load_machine
from autoprune.metrics import metric_value


@pytest.fixture
def measurement(outcome):
    return outcome(0, correct=87).measurement


def test_plain_metrics_are_the_measurements_own(measurement) -> None:
    assert metric_value("accuracy", measurement, {}) == 0.87
    assert metric_value("parameters", measurement, {}) == 1000
    ops = [op for op in measurement.workload.ops if op.order != "published"]
    assert metric_value("synops", measurement, {}) == sum(op.effective_sops for op in ops) / 2


def test_metrics_of_a_machine_are_what_it_charges(measurement) -> None:
    model = load_machine("loihi1")
    cost = model.price(measurement.workload)
    machines = {"loihi1": model}
    assert metric_value("energy_uj@loihi1", measurement, machines) == cost.energy_uj > 0
    assert metric_value("latency_us@loihi1", measurement, machines) == cost.latency_us > 0


def test_a_latency_that_a_machine_does_not_define_is_an_error(measurement) -> None:
    machines = {"ops45_fp32": load_machine("ops45_fp32")}
    with pytest.raises(UnknownCost, match="ops45_fp32: defines no latency"):
        metric_value("latency_us@ops45_fp32", measurement, machines)
