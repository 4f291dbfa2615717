"""What a study asks for beyond its data is capped, and said."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from autoprune.errors import InputError
from autoprune.study.parts import capped, load_data, make_setup
from autoprune.sweep.forecast import forecast
from autoprune.sweep.prepare import prepare
from autoprune.trial.measurement import Measurement, Seconds
from autoprune.trial.training import batches


def test_batches_and_samples_beyond_the_data_are_said(short_study):
    more = ("batch_size = 64", "batch_size = 5000"), ("samples = 16", "samples = 361")
    parts = prepare(str(short_study(*more)), workers=0).built.parts
    data = load_data(parts)
    train, validation = len(data.train), len(data.validation)
    assert capped(parts, data) == [
        f"finetune.batch_size = 5000 of the study: there are {train} samples, and all of them are "
        "taken.",
        f"measure.batch_norm_batch_size = 5000 of the study: there are {train} samples, and all of "
        "them are taken.",
        f"measure.census_samples = 361 of the study: there are {validation} samples, and all of "
        "them are taken.",
    ]
    [found] = batches(data.train, 10**6, 1, 0)
    assert len(found) == train


def test_first_epochs_beyond_all_of_them_are_said(short_study):
    parent = "weight_decay = 0.05\n\n[finetune]"
    more = (parent, f"warmup_epochs = 4\nmixup = 0.2\nmixup_epochs = 3\n{parent}")
    tuned = ("learning_rate = 1e-3", "learning_rate = 1e-3\nmixup = 0.2\nmixup_epochs = 2")
    parts = prepare(str(short_study(more, tuned)), workers=0).built.parts
    assert capped(parts, load_data(parts)) == [
        "parent.warmup_epochs = 4 of the study, beyond epochs = 3: all of them are such.",
        "finetune.mixup_epochs = 2 of the study, beyond epochs = 1: all of them are such.",
    ]


def test_a_dry_run_says_it_and_refuses_sizes_beyond_the_data(short_study):
    more = ("batch_size = 64", "batch_size = 5000"), ('["loihi1", ', '["speck", "loihi1", ')
    built = prepare(str(short_study(*more)), workers=0).built
    found = forecast(built)
    assert list(found.notes) == capped(built.parts, load_data(built.parts))
    [(name, why)] = found.not_held
    assert name == "speck" and why.endswith("expected no decay")
    study = short_study(('"digits"', '{ name = "digits", train = 5000 }'))
    with pytest.raises(InputError, match="train: given 5000; expected at most 1078"):
        forecast(prepare(str(study), workers=0).built)


def test_trials_take_so_many_samples_of_every_class(short_study):
    fewer = ("learning_rate = 1e-3", "learning_rate = 1e-3\nsamples = 100")
    scored = ("census_samples = 16", "census_samples = 16\nvalidation_samples = 50")
    built = prepare(str(short_study(fewer, scored)), workers=0).built
    data = load_data(built.parts)
    parent = built.parts.architecture.build()
    few, again = (make_setup(built.parts, data, parent, ()).data for _ in range(2))
    assert few.train.indices.tolist() == again.train.indices.tolist()
    assert set(few.train.indices.tolist()) < set(data.train.indices.tolist())
    assert few.train.labels.bincount().tolist() == [10] * 10
    assert set(few.validation.indices.tolist()) < set(data.validation.indices.tolist())
    assert few.validation.labels.bincount().tolist() == [5] * 10
    assert dict(forecast(built).samples) == {
        "train": 1078,
        "validation": 359,
        "test": 360,
        "fine-tuning": 100,
        "scoring": 50,
    }


def test_a_dry_run_leaves_out_the_time_that_others_had_the_processor(
    short_study, outcome, monkeypatch
):
    """A trial says that it took a minute, of which this process computed next to nothing."""
    built = prepare(str(short_study()), workers=0).built
    minute = Seconds(training=60.0, evaluation=60.0, census=0.0, other=0.0)
    measured = replace(outcome(0).measurement, seconds=minute)

    def waits(*_: object) -> tuple[Measurement, None]:
        time.sleep(0.02)
        return measured, None

    monkeypatch.setattr("autoprune.sweep.forecast.run_trial", waits)
    found = {one.what: one.seconds for one in forecast(built).expenses}
    trial, baseline = found["uniform sweep"], found["baselines"]
    assert trial is not None and baseline is not None
    assert 0 < trial < 0.5 * 60 * (1078 + 359) / 128
    assert baseline / trial == pytest.approx((1078 + 359 + 360) / (1078 + 359))  # and test data
