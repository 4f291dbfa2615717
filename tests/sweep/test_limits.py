"""What is known before training is what is measured after it."""

from __future__ import annotations

import pytest
import torch

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.surgery.slif.surgery import SLIFSurgery
from autoprune.runs.budget import parse_budget, parse_budgets
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.limits import Budgets
from autoprune.sweep.prepare import prepare
from autoprune.trial.trial import run_trial
from tests.short import SHORT


@pytest.fixture(scope="module")
def study():
    built = prepare(SHORT).built
    data = load_data(built.parts)
    return built, make_setup(built.parts, data, find_parent(built.parts, data), ())


@pytest.mark.parametrize(
    "point",
    [
        {},
        {"blocks.0.attention.dsp": 0.5, "blocks.0.mlp.l1p": 0.8},
        {"blocks.0.mlp.dsp": 0.0, "blocks.0.neuron.threshold": "neuron"},
        {"blocks.0.mlp.dsp": 0.25, "blocks.0.neuron.tau": "layer", "blocks.0.attention.l1p": 0.5},
    ],
)
def test_parameters_are_known_but_for_what_neurons_learn(study, point):
    built, setup = study
    plan = make_plan(parse_configuration(point), built.shape, built.effort)
    limits = Budgets(
        [parse_budget(t, "here") for t in ("parameters <= 1000", "parameters >= 9000")],
        built.machines,
        setup,
    )
    torch.set_num_threads(1)
    measurement, model = run_trial(setup, plan, seed=1)
    known, found = limits.known(plan), limits.of(measurement)
    assert [name for name, _ in known] == [name for name, _ in found]
    assert all(k <= f for (_, k), (_, f) in zip(known, found, strict=True))
    if not any("neuron" in name for name in point):
        assert known == found
    if "neuron" in point.values():  # its noise is nowhere 0
        assert known[1] == found[1]
    few, many = measurement.parameters - 1, measurement.parameters + 1
    slack = 1 + sum(p.numel() for p in SLIFSurgery().learned(model))
    texts = [f"parameters <= {few - slack}", f"parameters >= {many + slack}"]
    assert all(
        by > 0
        for _, by in Budgets(
            [parse_budget(text, "here") for text in texts], built.machines, setup
        ).known(plan)
    )


def test_what_rounding_and_training_decide_is_not_known(study):
    built, setup = study
    texts = ["parameters <= 1000", "weight_bits <= 4", "accuracy >= 0.5", "energy_uj@loihi1 <= 1"]
    limits = Budgets(parse_budgets(texts, "here"), built.machines, setup)
    plan = make_plan(parse_configuration({"weight_bits": 8}), built.shape, built.effort)
    assert limits.known(plan) == (("weight_bits <= 4", 1.0),)


def test_what_shapes_decide_is_known_before_training(study):
    """The least of memory: dense weights and membranes exactly, a list of weights not at all."""
    built, setup = study
    texts = ["host_share@loihi1 <= 0.001", "host_share@loihi1 >= 0.9", "memory_kib@loihi1 <= 0.1"]
    texts += ["memory_kib@ops45_fp32 <= 0.1", "memory_kib@loihi1 >= 1"]
    limits = Budgets([parse_budget(text, "here") for text in texts], built.machines, setup)
    seen = []
    for point in ({}, {"blocks.0.mlp.dsp": 0.25, "blocks.0.attention.l1p": 0.9, "time_steps": 2}):
        plan = make_plan(parse_configuration(point), built.shape, built.effort)
        measurement, _ = run_trial(setup, plan, seed=1)
        known, found = dict(limits.known(plan)), dict(limits.of(measurement))
        assert list(known) == texts[:4]
        assert known[texts[0]] == found[texts[0]] and known[texts[1]] == found[texts[1]]
        assert 0 < known[texts[2]] < found[texts[2]]
        assert known[texts[3]] == found[texts[3]]
        seen.append(known)
    assert all(seen[1][text] != seen[0][text] for text in texts[:4])
