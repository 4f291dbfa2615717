"""Baselines: which there are, and what is said when there is nothing to search."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.space import SearchSpace, load_space
from autoprune.compress.uniform import uniform_sweep
from autoprune.networks.place import MODEL
from autoprune.networks.shape import BlockShape, BranchShape, NetworkShape
from autoprune.runs.outcome import Outcome
from autoprune.search.baselines import (
    baseline_plans,
    first_configurations,
    harsh_uniform,
    warnings,
)
from autoprune.trial.key import FINE_TUNED, NO_BLOCKS, PARENT, TrialKey

EFFORT = Effort(time_steps=4, learning_rate=1e-3, epochs=2)


def test_a_block_of_one_branch_is_not_removed_twice():
    only = BranchShape(name="mlp", groups=1, size=4, matrices=())
    shape = NetworkShape(blocks=(BlockShape(branches=(only,)),) * 2)
    plans = baseline_plans(shape, EFFORT)
    assert [str(key) for key in plans] == [
        "parent",
        "fine-tuned",
        "without blocks.0.mlp",
        "without blocks.1.mlp",
        "without all blocks",
    ]
    assert len({plan.hash for plan in plans.values()}) == 5
    assert plans[PARENT].effort.epochs == 0


@pytest.mark.parametrize(("bits", "baselines"), [([4, 8], 0), ([8, 32], 8)])
def test_baselines_are_trials_only_where_the_space_offers_their_very_plans(shape, bits, baselines):
    dsp = {"dsp": {"values": [0.0, 1.0]}}
    space = SearchSpace.model_validate(
        {
            "title": "a space",
            "branch": {"attention": dsp, "mlp": dsp},
            "model": {"weight_bits": {"values": bits}},
        }
    )
    first = first_configurations(space, shape, EFFORT)
    assert [origin for origin, _ in first] == ["baseline"] * baselines + ["uniform"]
    assert {found[Parameter(MODEL, "weight_bits")] for _, found in first} == {bits[-1]}


@pytest.fixture
def outcome(measured, shape):
    def make(key: TrialKey, correct: int) -> Outcome:
        plan = baseline_plans(shape, EFFORT)[FINE_TUNED]
        return Outcome(
            key=key,
            origin="baseline",
            configuration=(),
            plan=plan,
            seed=0,
            state="measured",
            measurement=measured(plan, correct=correct),
        )

    return make


def test_harsh_uniform_trials_are_those_of_one_method_alone(outcome, shape):
    sweep = uniform_sweep(load_space("digits"), shape, EFFORT)
    trials = [
        replace(outcome(TrialKey(i), 60), origin="uniform", configuration=tuple(same.items()))
        for i, same in enumerate(sweep)
    ]
    [(name, found)] = harsh_uniform(trials).items()
    chosen = {p.setting: value for p, value in found.configuration}
    assert name == "Uniform L1P at 95 %"
    assert (chosen["l1p"], chosen["dsp"], chosen["time_steps"]) == (0.95, 1.0, 4)
    assert harsh_uniform([replace(trial, origin="sampled") for trial in trials]) == {}


@pytest.mark.parametrize(
    ("parent", "tuned", "none", "harsh", "expected"),
    [
        (95, 95, 30, 60, []),
        (95, 93, 30, 60, ["moves the uncompressed network by -2.0 points"]),
        (95, 95, 86, 60, ["All blocks together carry 9.0 points"]),
        (95, 95, 30, 91, ["L1P at 95 % costs 4.0 points; below 5"]),
    ],
)
def test_warnings(outcome, parent, tuned, none, harsh, expected):
    baselines = {
        PARENT: outcome(PARENT, parent),
        FINE_TUNED: outcome(FINE_TUNED, tuned),
        NO_BLOCKS: outcome(NO_BLOCKS, none),
    }
    found = warnings(baselines, {"L1P at 95 %": outcome(TrialKey(9), harsh)})
    assert len(found) == len(expected)
    for line, part in zip(found, expected, strict=True):
        assert part in line
