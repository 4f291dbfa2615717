"""A study's own training and evaluation take the place of ours."""

from __future__ import annotations

import json

import pytest
from safetensors.torch import load_file

from autoprune.sweep.prepare import prepare
from tests.refusals import assert_refused, refusals


@pytest.fixture
def study(short_study, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path / "cache"))

    def write(functions: str, objective: str = "top3", extra: str = "") -> str:
        after = f"[functions]\n{functions}\n{extra}"
        return str(short_study(('"accuracy"', f'"{objective}"'), after=after))

    return write


def test_own_score_and_training(autoprune, study, tmp_path):
    file = study('train = "own_functions:warm"\nevaluate = "own_functions:top3"')
    said = autoprune("run", file, "--workers", 0, "--trials", 2, "--out", tmp_path / "out")
    assert said.code == 0, said.err
    said = autoprune("front", tmp_path / "out", "--machine", "loihi1")
    assert "Top3 measured and energy priced at 8 bits, in its integers." in " ".join(
        said.out.split()
    )
    front = json.loads((tmp_path / "out" / "fronts" / "loihi1" / "front.json").read_text())
    assert "val_top3" in front["fine_tuned_parent"]
    assert "val_accuracy" not in front["fine_tuned_parent"]
    header = (tmp_path / "out" / "fronts" / "loihi1" / "front.csv").read_text().splitlines()[0]
    assert {"val_top3", "test_top3"} < {*header.split(",")}
    assert "accuracy" not in header.replace("accuracy_bits", "")
    parent = load_file(next((tmp_path / "cache" / "parents").glob("*.safetensors")))
    assert parent["head.bias"][0] == 7.0


@refusals(
    (('evaluate = "own_functions:top3"', "accuracy", ""), "unknown metric 'accuracy'"),
    (('evaluate = "own_functions:top4"', "top4", ""), "has no attribute 'top4'"),
    (('train = "own_functions:short_of_arguments"', "accuracy", ""), "takes no progress"),
    (
        ('train = "own_functions:warm"', "accuracy", '[compression]\nl1p_schedule = "gradual"'),
        "takes no after_step",
    ),
    (('trian = "own_functions:warm"', "accuracy", ""), "did you mean 'train'"),
    (('train = "warm"', "accuracy", ""), "given 'warm'; expected module:name"),
    (
        ('train = "math:pi"', "accuracy", ""),
        "'math:pi' is of type float; expected something to call",
    ),
)
def test_what_is_wrong_is_named(autoprune, study, given, words):
    functions, objective, extra = given
    assert_refused(words, autoprune, "run", study(functions, objective, extra), "--dry-run")


@refusals(
    ("wrong", "'wrong': gives 1.5 of a network that is right on all of 20 random samples"),
    ("percent", "'percent': gives 100 of a network that is right"),
    ("loss", "'loss': gives -* expected a score from 0 to 1, higher is better"),
    ("raises", "'raises': raised KeyError: 'mIoU', at own_functions.py:*: raise KeyError(*"),
)
def test_a_score_that_is_none_is_found_before_anything_trains(autoprune, study, given, words):
    file = study(f'evaluate = "own_functions:{given}"', given)
    assert_refused(words, autoprune, "run", file, "--dry-run")


@pytest.mark.parametrize("name", ["sometimes_nan", "of_two_classes"])
def test_a_score_that_some_labels_have_not_is_a_score(autoprune, study, name):
    said = autoprune("run", study(f'evaluate = "own_functions:{name}"', name), "--dry-run")
    assert said.code == 0, said.err


def test_steps_that_the_space_has_not_are_refused_before_anything_computes(
    short_study, monkeypatch
):
    monkeypatch.setattr("autoprune.study.build.smoke_test", lambda *_: pytest.fail("it computed"))
    given = str(short_study(("time_steps = 3", "time_steps = 9")))
    assert_refused("the study begins with 9, which the space does not offer", prepare, given)
