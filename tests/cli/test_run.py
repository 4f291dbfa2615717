"""`autoprune run`: what is wrong ends with one message and exit code 2, before anything trains."""

from __future__ import annotations

import re

from tests.refusals import assert_refused, refusals


@refusals(
    (["digts"], "unknown study 'digts'"),
    (["digits", "--trials", "-3"], "-3 is not in the range 1<=x<=1000000"),
    (["digits", "--workers", "-1"], "-1 is not in the range x>=0"),
    (["digits", "--trails", "3"], "did you mean '--trials'"),
    (["digits", "--out", "/proc/nowhere/run", "--workers", "0"], "cannot write there"),
)
def test_bad_arguments(autoprune, given, words):
    assert_refused(words, autoprune, "run", *given)


@refusals(
    (('["accuracy"', '["acuracy"'), "did you mean 'accuracy'?"),
    (('sampler = "tpe"', 'sampler = "tpee"'), "did you mean 'tpe'?"),
    (("seed = 3", "seed = 3\nseed = 4"), "Cannot overwrite"),
    (('"loihi1",', '"lohi1",'), "did you mean 'loihi1'?"),
    (("epochs = 1", "epochs = nan"), "finetune.epochs"),
    (("lag = 3", "lag = 1"), "search.lag: given 1, with 2 workers"),
    (("lag = 3", "lag = 3\nstop_below = 0.01"), "stop_below with sampler = 'block_response'"),
    (("lag = 3", "lag = 3\nstop_blow = 0.01"), "mean 'stop_below'"),
    (("trials = 7", 'trials = 7\nbudgets = ["enrgy_uj@loihi1 <= 1"]'), "'energy_uj@loihi1'?"),
    (("trials = 7", 'trials = 7\nbudgets = ["effective_sops < 1"]'), "METRIC <= NUMBER"),
    (("trials = 7", 'trials = 7\nbudgets = ["weight_bits <= 4"]'), "does not search"),
    (("trials = 7", 'trials = 7\nbudgets = ["chips@ops45_fp32 <= 1"]'), "number of chips"),
    (("trials = 7", 'trials = 7\nbudgets = ["edp_uj_ms@ops45_fp32 <= 1"]'), "no latency"),
    (('"energy_uj@loihi1"]', '"accuracy"]'), "2 to 4 different metrics"),
    (
        (
            '"energy_uj@loihi1"]',
            '"energy_uj@loihi1", "effective_sops", "parameters", "latency_us@loihi1"]',
        ),
        "2 to 4 different metrics",
    ),
)
def test_bad_studies(autoprune, short_study, tmp_path, given, words):
    old, new = given
    study = short_study((old, new))
    assert_refused(words, autoprune, "run", study, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_dry_run_refuses_what_a_run_would(autoprune, tmp_path):
    (tmp_path / "mine").touch()
    for place, words in ((tmp_path, "holds mine, and no run"), (tmp_path / "mine", "a file")):
        words = f"{place}: {words}; expected a new or an empty folder, or a run's"
        assert_refused(words, autoprune, "run", "digits", "--dry-run", "--out", place)


def test_a_study_that_is_not_utf8(autoprune, short_study):
    study = short_study()
    study.write_bytes(study.read_bytes() + b"# \xff")
    assert_refused("not UTF-8", autoprune, "run", study)


def test_dry_run_prints_space_machines_and_trials_and_writes_nothing(
    autoprune, short_study, tmp_path
):
    short = short_study(("learning_rate = 1e-3\n", ""))
    before = sorted(tmp_path.iterdir())
    text = " ".join(autoprune("run", short, "--dry-run", "--trials", "30").out.split())
    for part in (
        "blocks.0.attention.l1p",
        "Davies et al., IEEE Micro 38(1) 2018; Frady et al. 2020",
        "30 trials: uniform sweep of 3, then sampler tpe",
        "digits (images of 1 x 8 x 8, 10 classes)",
        "What neurons learn per channel lies along channels: of 5 layers, in 2 although another",
        "Measured with weights of 32 and 8 bits, and in the integers of loihi1.",
        "Learning rates: chosen first, by 12 trainings, and more",
        "Samples: 1,078 train, 359 validation, 360 test.",
    ):
        assert part in text
    costs = text.partition("minutes in all")[2]
    numbers = re.findall(r"([a-z][a-z ]*?) (\d+) [\d.]+ [\d.]+(?= )", costs)
    kinds = ("parent", "learning rates", "baselines", "uniform sweep", "proposals")
    assert numbers == list(zip(kinds, ("1", "12", "5", "3", "27"), strict=True))
    assert sorted(tmp_path.iterdir()) == before
