"""A trial measures what its plan asks for, and touches nothing else."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import replace

import pytest
import torch

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.surgery.rounding import round_weights
from autoprune.compress.surgery.surgery import matrices
from autoprune.data.dataset import About, Dataset, InMemory, Split
from autoprune.networks.adapter import Weighted
from autoprune.trial import trial
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup
from autoprune.trial.training import Recipe, logits
from autoprune.trial.trial import run_trial, with_one_shot

STILL = Effort(time_steps=3, learning_rate=1e-3, epochs=0)


@pytest.fixture
def setup(network, adapter) -> Setup:
    images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    part = Split(store=InMemory(images), indices=torch.arange(8), labels=torch.arange(8) % 4)
    about = About(name="noise", classes=4, shape=(1, 8, 8))
    return Setup(
        parent=network,
        adapter=adapter,
        data=Dataset(about=about, train=part, validation=part, test=part),
        recipe=Recipe(
            epochs=1, learning_rate=1e-2, batch_size=4, weight_decay=0.1, label_smoothing=0.1
        ),
        options={"dsp_score": "l1"},
        batch_norm_batches=1,
        batch_norm_batch_size=8,
        census_samples=2,
    )


def means(model) -> torch.Tensor:
    state = model.state_dict()
    return torch.cat([t.flatten() for name, t in state.items() if name.endswith("running_mean")])


def test_a_neutral_plan_without_epochs_is_the_parent(setup, shape):
    measurement, model = run_trial(setup, make_plan({}, shape, STILL), 0)
    pairs = zip(model.state_dict().values(), setup.parent.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert measurement.kept_weights == 1


@pytest.mark.parametrize(
    "point",
    [
        {"blocks.0.mlp.l1p": 0.5},
        {"stem.l1p": 0.5},
        {"blocks.0.neuron.threshold_start": 0.5},
    ],
)
def test_batch_norm_is_reestimated_where_anything_changed(setup, shape, point):
    _, model = run_trial(setup, make_plan(parse_configuration(point), shape, STILL), 0)
    assert not torch.equal(means(model), means(setup.parent))


def test_tiles_are_counted_where_a_machine_asks_for_them(setup, shape):
    plan = make_plan({}, shape, STILL)
    for asked in (False, True):
        measurement, _ = run_trial(replace(setup, product_sparsity=asked), plan, 0)
        ops = measurement.precisions[0].workload.ops
        assert [op.activity.tiles is not None for op in ops] == [asked] * len(ops)


def test_the_seed_is_all_that_is_random(setup, shape):
    plan = make_plan(
        parse_configuration({"blocks.0.mlp.l1p": 0.5}), shape, replace(STILL, epochs=1)
    )
    one, first = run_trial(setup, plan, 3)
    two, second = run_trial(setup, plan, 3)
    _, other = run_trial(setup, plan, 4)
    assert replace(one, seconds=two.seconds) == two
    assert torch.equal(first.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


@pytest.mark.parametrize(
    ("plan_bits", "machines", "measured_at"),
    [
        (32, (), [32]),
        (32, (32, 8), [32, 8]),
        (32, (8, 4), [32, 8, 4]),
        (6, (32, 8, 4), [6, 4]),  # a machine of more bits holds weights of 6
        (4, (32, 8), [4]),
    ],
)
def test_a_trial_is_evaluated_and_counted_once_per_precision(
    setup, shape, monkeypatch, plan_bits, machines, measured_at
):
    calls = Counter()
    for name in ("score", "count"):
        original = getattr(trial, name)

        def noted(*given, name=name, original=original, **more):
            calls[name, more.get("weight_bits")] += 1
            return original(*given, **more)

        monkeypatch.setattr(trial, name, noted)
    plan = make_plan(parse_configuration({"weight_bits": plan_bits}), shape, STILL)
    measurement, _ = run_trial(replace(setup, weight_bits=machines), plan, 0)
    assert [precision.bits for precision in measurement.precisions] == measured_at
    assert calls == {
        ("score", None): len(measured_at),  # of validation data
        **{("count", bits): 1 for bits in measured_at},
    }


def confidence(model, data) -> float:
    """A score that every change of a weight moves."""
    found = logits(model, data.inputs(slice(None))).softmax(1)
    return float(found.gather(1, data.labels[:, None]).mean())


def test_a_score_without_fine_tuning_is_that_of_the_plan_without_epochs(setup, shape):
    setup = replace(setup, evaluate=confidence)
    point = parse_configuration({"blocks.0.mlp.l1p": 0.5})
    trained, _ = run_trial(setup, make_plan(point, shape, replace(STILL, epochs=1)), 3)
    still, _ = run_trial(setup, make_plan(point, shape, STILL), 3)
    both = with_one_shot(setup, trained)
    assert both.one_shot == still.validation != trained.validation
    assert both.seconds.evaluation > trained.seconds.evaluation
    again = Measurement.from_dict(both.to_dict(), [p.workload for p in both.precisions])
    assert again.one_shot == both.one_shot
    assert replace(both, seconds=trained.seconds) == trained


def test_test_data_are_evaluated_where_asked_and_afterwards_alike(setup, shape):
    setup = replace(setup, evaluate=confidence, weight_bits=(8, 2))
    point = parse_configuration({"blocks.0.mlp.l1p": 0.5})
    plan = make_plan(point, shape, replace(STILL, epochs=1))
    without, model = run_trial(setup, plan, 0)
    measured, _ = run_trial(setup, plan, 0, test=True)
    assert [precision.test for precision in without.precisions] == [None, None, None]
    assert len({precision.test for precision in measured.precisions}) == 3
    afterwards = without.with_tests(trial.scores_on_test(setup, model, without.precisions))
    assert replace(afterwards, seconds=measured.seconds) == measured
    again = Measurement.from_dict(without.to_dict(), [p.workload for p in without.precisions])
    assert again == without


def test_every_precision_is_that_of_the_network_rounded_by_hand(setup, shape):
    setup = replace(setup, evaluate=confidence, weight_bits=(8, 2))
    plan = make_plan(
        parse_configuration({"blocks.0.mlp.l1p": 0.5}), shape, replace(STILL, epochs=1)
    )
    measurement, model = run_trial(setup, plan, 0)
    before = copy.deepcopy(model.state_dict())
    for precision in measurement.precisions:
        by_hand = copy.deepcopy(model)
        round_weights(by_hand, precision.bits)
        [alone] = trial.measure(setup, by_hand, [precision.bits], test=False)
        with torch.inference_mode():
            assert precision.validation.accuracy == confidence(by_hand, setup.data.validation)
        assert precision.workload == alone.workload
        held = {op.name: op for op in precision.workload.ops if op.b.kind == "weight"}
        assert {op.b.bits for op in held.values()} == {precision.bits}
        zeros = sum(op.b.size - op.b.nonzeros for op in held.values())
        layers = [m.weight for m in by_hand.modules() if isinstance(m, Weighted)]
        assert zeros == sum(int((weight == 0).sum()) for weight in layers)
    full, _, coarse = measurement.precisions
    assert len({precision.validation for precision in measurement.precisions}) == 3
    assert full.workload.total("b_nonzeros") > coarse.workload.total("b_nonzeros")
    assert measurement.kept_weights == plan.kept_weights(shape) / shape.block_weights
    after = model.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_plan_of_few_bits_leaves_a_network_on_the_grid(setup, shape):
    plan = make_plan(parse_configuration({"weight_bits": 3}), shape, replace(STILL, epochs=1))
    whole = make_plan({}, shape, replace(STILL, epochs=1))
    measurement, model = run_trial(replace(setup, weight_bits=(32, 8)), plan, 0)
    _, trained = run_trial(setup, whole, 0)
    for layer in (m for m in model.modules() if isinstance(m, Weighted)):
        for channel in layer.weight.flatten(1):
            steps = channel / channel.abs().max() * 3
            assert torch.allclose(steps, steps.round(), atol=1e-5)
    round_weights(trained, 3)  # all else, batch norm above all, is as without rounding
    pairs = zip(model.state_dict().values(), trained.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    kept = sum(int(torch.count_nonzero(m.weight)) for m in matrices(model, setup.adapter))
    assert measurement.kept_weights == kept / shape.block_weights < 1
    assert measurement.parameters == sum(int((p != 0).sum()) for p in model.parameters())
