"""A trial measures what its plan asks for, and touches nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from autoprune.data.dataset import About, Dataset, InMemory, Split
from autoprune.plan import Effort
from autoprune.point import make_plan
from autoprune.training import Recipe
from autoprune.trial import Bench, run_trial

STILL = Effort(time_steps=3, learning_rate=1e-3, epochs=0)


@pytest.fixture
def bench(network, adapter) -> Bench:
    images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    part = Split(store=InMemory(images), indices=torch.arange(8), labels=torch.arange(8) % 4)
    about = About(name="noise", classes=4, shape=(1, 8, 8))
    return Bench(
        parent=network,
        adapter=adapter,
        data=Dataset(about=about, train=part, validation=part, test=part),
        recipe=Recipe(
            epochs=1, learning_rate=1e-2, batch_size=4, weight_decay=0.1, label_smoothing=0.1
        ),
        dsp_score="l1",
        batch_norm_batches=1,
        batch_norm_batch_size=8,
        census_samples=2,
    )


def means(model) -> torch.Tensor:
    state = model.state_dict()
    return torch.cat([t.flatten() for name, t in state.items() if name.endswith("running_mean")])


def test_a_neutral_plan_without_epochs_is_the_parent(bench, shape):
    measurement, model = run_trial(bench, make_plan({}, shape, STILL), 0)
    pairs = zip(model.state_dict().values(), bench.parent.state_dict().values(), strict=True)
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
def test_batch_norm_is_reestimated_where_anything_changed(bench, shape, point):
    _, model = run_trial(bench, make_plan(point, shape, STILL), 0)
    assert not torch.equal(means(model), means(bench.parent))


def test_the_seed_is_all_that_is_random(bench, shape):
    plan = make_plan({"blocks.0.mlp.l1p": 0.5}, shape, replace(STILL, epochs=1))
    one, first = run_trial(bench, plan, 3)
    two, second = run_trial(bench, plan, 3)
    _, other = run_trial(bench, plan, 4)
    assert replace(one, seconds=two.seconds) == two
    assert torch.equal(first.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)
