"""Every network travels to a Ray worker and is compressed, trained and counted there."""

from __future__ import annotations

from dataclasses import replace

import pytest
import ray
import torch

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.data.dataset import About, Dataset, InMemory, Split
from autoprune.trial.setup import Setup
from autoprune.trial.training import Recipe
from autoprune.trial.trial import run_trial
from tests.networks.conftest import CASES


@pytest.mark.ray
@pytest.mark.parametrize(
    "case",
    [name if name == "own" else pytest.param(name, marks=pytest.mark.full) for name in CASES],
    indirect=True,
)
def test_a_trial_on_a_worker_is_that_of_this_process(case, one_ray):
    one_ray()
    network, adapter = case.make()
    shape = adapter.shape(network)
    images = torch.rand(4, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    part = Split(store=InMemory(images), indices=torch.arange(4), labels=torch.arange(4))
    about = About(name="noise", classes=4, shape=(2, 16, 16))
    setup = Setup(
        parent=network,
        adapter=adapter,
        data=Dataset(about=about, train=part, validation=part, test=part),
        recipe=Recipe(
            epochs=1, learning_rate=1e-2, batch_size=2, weight_decay=0.1, label_smoothing=0.1
        ),
        options={"dsp_score": "l1"},
        batch_norm_batches=1,
        batch_norm_batch_size=4,
        census_samples=2,
    )
    point = {f"{place}.l1p": 0.5 for place, _ in shape.branches()}
    point |= {f"{place}.dsp": 0.5 for place, b in shape.branches() if not b.fixed}
    point |= {f"blocks.{i}.neuron.tau": "layer" for i in range(len(shape.blocks))}
    plan = make_plan(
        parse_configuration(point), shape, Effort(time_steps=3, learning_rate=1e-2, epochs=1)
    )
    there, model = ray.get(ray.remote(run_trial).remote(setup, plan, 7))
    here, twin = run_trial(setup, plan, 7)
    assert replace(there, seconds=here.seconds) == here
    pairs = zip(model.state_dict().values(), twin.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
