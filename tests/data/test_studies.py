"""The studies that ship: checked without their data, and run for a few steps on made files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.config import bundled_names
from autoprune.data.load import NamedData
from autoprune.study.check import load_checked
from autoprune.study.parts import load_data, make_setup, recipe
from autoprune.sweep.prepare import prepare
from autoprune.trial.training import train
from autoprune.trial.trial import run_trial

STUDIES = bundled_names("studies")
LARGE = ("cifar10dvs_spikformer", "fashion", "imagenet_sdt")
"""Those whose dry run takes long."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.full] * (n in LARGE)) for n in STUDIES]
)
def test_a_study_is_complete_without_its_data(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checked = load_checked(name)
    space = checked.space
    assert space.uniform["l1p"] and space.uniform["dsp"] and checked.machines
    if name not in ("cifar10dvs_spikformer", "imagenet_sdt"):  # the same, in the slow test below
        built = prepare(name).built
        assert built.parts.data.about.name == checked.study.data.name
        assert len(built.shape.blocks) in (2, 4)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_few_steps_on_made_files(name, make, monkeypatch, tmp_path):
    """Full-size networks on files of the real shape: two steps of training, one trial."""
    parts = prepare(name).built.parts
    whole = parts.data.spec.model_copy(update={"train": None, "validation": None})
    parts = replace(parts, data=NamedData(whole, Path()))  # made files are fewer than a study asks
    settings = {"imagefolder": {"train": 60, "val": 2}}.get(parts.data.spec.name, {})
    monkeypatch.setenv("AUTOPRUNE_DATA", str(make(parts.data.spec.name, **settings)))
    data = load_data(parts)
    few = {
        part: replace(split, indices=split.indices[:4], labels=split.labels[:4])
        for part, split in (
            ("train", data.train),
            ("validation", data.validation),
            ("test", data.test),
        )
    }
    data = replace(data, **few)
    spec = parts.compute.spec.model_copy(update={"device": "cpu", "precision": "fp32"})
    parts = replace(parts, compute=replace(parts.compute, spec=spec))
    torch.manual_seed(0)
    network = parts.architecture.build()
    before = [p.clone() for p in network.parameters()]
    short = replace(recipe(parts.parent, spec), epochs=2, batch_size=2)
    train(network, data.train, short, seed=0)
    assert any(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))
    setup = replace(
        make_setup(parts, data, network, (8,)),
        batch_norm_batches=1,
        batch_norm_batch_size=2,
        census_samples=1,
        recipe=replace(recipe(parts.finetune, spec), batch_size=2),
    )
    shape = setup.adapter.shape(network)
    effort = Effort(time_steps=parts.network.time_steps, learning_rate=1e-4, epochs=1)
    point = {f"{place}.l1p": 0.5 for place, _ in shape.branches()}
    point |= {f"{place}.dsp": 0.5 for place, _ in shape.branches()}
    measurement, _ = run_trial(setup, make_plan(parse_configuration(point), shape, effort), 0)
    assert measurement.kept_weights == pytest.approx(0.25, abs=1e-3)
    uncounted = {item.name for item in measurement.workload.uncounted if item.dense_macs}
    assert uncounted == {"batch_norm"}
