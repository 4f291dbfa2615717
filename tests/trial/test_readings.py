"""A network read after some time steps is as it was in those of a longer pass."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.data.dataset import About, Dataset, InMemory, Split
from autoprune.errors import CompressionError, InputError
from autoprune.trial.setup import Setup
from autoprune.trial.smoke_test import try_readings
from autoprune.trial.training import Recipe, logits
from autoprune.trial.trial import run_trial
from autoprune.workload.census.count import count

STILL = Effort(time_steps=3, learning_rate=1e-3, epochs=0)
PER_STEP = ("events_per_step", "nonzeros_per_step")


@pytest.fixture
def setup(network, adapter) -> Setup:
    images = torch.rand(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    part = Split(store=InMemory(images), indices=torch.arange(8), labels=torch.arange(8) % 4)
    about = About(name="noise", classes=4, shape=(1, 8, 8))
    recipe = Recipe(
        epochs=1, learning_rate=1e-2, batch_size=4, weight_decay=0.1, label_smoothing=0.1
    )
    return Setup(
        parent=network,
        adapter=adapter,
        data=Dataset(about=about, train=part, validation=part, test=part),
        recipe=recipe,
        batch_norm_batches=1,
        batch_norm_batch_size=8,
        census_samples=2,
        weight_bits=(8,),
        readings=(1, 2, 3, 4),
    )


@pytest.fixture
def plan(shape):
    point = {"blocks.0.mlp.l1p": 0.5, "blocks.1.attention.dsp": 0.5}
    return make_plan(parse_configuration(point), shape, STILL)


def test_a_reading_is_the_network_itself_run_for_so_long(setup, plan):
    measurement, model = run_trial(setup, plan, 0)
    assert [reading.time_steps for reading in measurement.readings] == [1, 2, 4]
    assert model.T == 3
    for steps in (1, 2, 4):
        found = measurement.after(steps)
        assert (found.plan, found.readings) == (measurement.plan, ())
        assert [p.bits for p in found.precisions] == [32, 8]
        setup.adapter.set_time_steps(model, steps)
        samples = setup.data.validation.inputs(slice(2))
        assert found.workload == count(model, setup.adapter, samples)
        assert found.workload.time_steps == steps
        right = logits(model, setup.data.validation.inputs(slice(None))).argmax(1)
        assert found.validation.correct == int((right == torch.arange(8) % 4).sum())


def test_counts_are_those_of_the_first_steps_of_a_longer_pass(setup, plan):
    """Networks are causal in time: what they do later changes nothing of what they have done."""
    measurement, _ = run_trial(setup, plan, 0)
    longest = {(op.name, op.order): op for op in measurement.after(4).workload.ops}
    assert sum(op.a.events for op in longest.values()) > 0
    for steps in (1, 2):
        for op in measurement.after(steps).workload.ops:
            whole = longest[op.name, op.order]
            if whole.a.kind == "binary":  # of averages over time there is no prefix
                for figure in PER_STEP:
                    own = getattr(op.a, figure)
                    assert own == getattr(whole.a, figure)[:steps], (op.name, figure)


def test_what_was_not_read_is_refused(setup, plan):
    measurement, _ = run_trial(replace(setup, readings=()), plan, 0)
    assert measurement.readings == ()
    with pytest.raises(InputError, match="after 2 steps; expected as it was trained"):
        measurement.after(2)


def test_a_network_that_cannot_be_read_after_some_steps_is_met_before_anything_trains(
    network, adapter, images
):
    try_readings(network, adapter, (1, 2, 5), images)
    assert network.T == 3

    class Rigid(type(network)):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.T == 1:
                raise RuntimeError("no single step")
            return super().forward(x)

    network.__class__ = Rigid
    with pytest.raises(CompressionError, match=r"after 1 steps .measure.anytime.*no single step"):
        try_readings(network, adapter, (1, 2), images)


def test_a_network_of_events_is_read_by_its_first_frames(setup, plan):
    """Read after 1 of 3 steps it has seen 2 of 6 frames, added up as in training."""
    frames = torch.rand(8, 6, 1, 8, 8, generator=torch.Generator().manual_seed(1)).round()
    part = replace(setup.data.validation, store=InMemory(frames))
    about = replace(setup.data.about, shape=(6, 1, 8, 8))
    data = replace(setup.data, about=about, train=part, validation=part, test=part)
    measurement, model = run_trial(replace(setup, data=data), plan, 0)
    assert [reading.time_steps for reading in measurement.readings] == [1, 2]
    setup.adapter.set_time_steps(model, 1)
    first, found = frames[:, :2], measurement.after(1)
    right = logits(model, first).argmax(1)
    assert found.validation.correct == int((right == torch.arange(8) % 4).sum())
    assert found.workload == count(model, setup.adapter, first[:2])


def test_readings_of_events_are_tried_on_their_first_frames(network, adapter):
    """Three frames in two steps would be refused; a plan's longest is not tried."""
    try_readings(network, adapter, (1, 2, 3), torch.rand(2, 3, 1, 8, 8).round())
    assert network.T == 3
