"""Every network travels to a Ray worker and is compressed, trained and counted there."""

from __future__ import annotations

from dataclasses import replace

import pytest
import ray
import torch

from autoprune.compress.configuration import make_plan, parameters
from autoprune.compress.effort import Effort
from autoprune.data.dataset import About, Dataset, InMemory, Split
from autoprune.trial.setup import Setup
from autoprune.trial.training import Recipe
from autoprune.trial.trial import run_trial
from tests.networks.conftest import CASES

COARSE = {"l1p": 0.5, "dsp": 0.5, "tau": "layer"}
FINE = {"l1p": 0.5, "dsp_matrix": 0.5, "tau": "channel", "threshold": "neuron"}


@pytest.mark.full
@pytest.mark.ray
@pytest.mark.parametrize(
    ("case", "values"),
    [
        *((name, COARSE) for name in CASES),
        *((name, FINE) for name in ("own", "spikformer")),
    ],
    indirect=["case"],
)
def test_a_trial_on_a_worker_is_that_of_this_process(case, values, one_ray):
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
    inside = [p for p in parameters(shape) if p.place.kind in ("branch", "neuron")]
    point = {p: values[p.setting] for p in inside if p.setting in values}
    plan = make_plan(point, shape, Effort(time_steps=3, learning_rate=1e-2, epochs=1))
    assert len(plan.parts) == 3
    there, model = ray.get(ray.remote(run_trial).remote(setup, plan, 7))
    here, twin = run_trial(setup, plan, 7)
    assert replace(there, seconds=here.seconds) == here
    pairs = zip(model.state_dict().values(), twin.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
