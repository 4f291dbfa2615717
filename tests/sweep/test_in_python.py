"""A study run by one call in Python: the trials of the command, from a file or a value."""

from __future__ import annotations

import sys

import pytest

import autoprune
from autoprune.errors import InputError
from autoprune.study.study import load_study

pytestmark = pytest.mark.filterwarnings(
    "ignore:All blocks together carry",  # so short a study has such a parent
    "ignore:Stopped before all baselines",
)


@pytest.fixture
def short(root) -> str:
    return str(root / "tests" / "studies" / "short.toml")


@pytest.fixture
def lying_beside(root, monkeypatch):
    """The short study as a value; its space lies in the current folder."""
    monkeypatch.chdir(root / "tests" / "studies")
    study, _, _ = load_study("short.toml")
    return study.model_copy(update={"trials": 6, "workers": 0})


def test_a_value_gives_the_trials_of_its_file(short, lying_beside, short_run, tmp_path):
    by_file = autoprune.open_run(short_run)
    by_value = autoprune.run(lying_beside, out=tmp_path / "value")
    alike = ["state", "origin", "val_accuracy", "energy_uj@loihi1", "plan"]
    assert 0 < len(by_value.trials()) < len(by_file.trials())

    with pytest.warns(UserWarning, match="another environment: study "):  # the text, not the study
        by_both = autoprune.run(short, out=by_value.folder.path, workers=0)
    assert by_both.trials()[alike].equals(by_file.trials()[alike])
    assert list(by_both.front("loihi1").index) == list(by_file.front("loihi1").index)


def test_what_a_run_needs_is_said(lying_beside, tmp_path):
    with pytest.raises(InputError, match="out, the run folder"):
        autoprune.run(lying_beside)
    with pytest.raises(InputError, match="did you mean 'digits'"):
        autoprune.run("digit", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_time_limit_leaves_a_run_that_goes_on(short, tmp_path):
    with pytest.warns(UserWarning, match="the same call goes on"):
        run = autoprune.run(short, out=tmp_path / "run", workers=0, minutes=0)
    assert run.folder.study_file.is_file()


def test_the_function_stays_the_function():
    """A module of its name would take its place once it is imported."""
    import autoprune.cli.run

    assert callable(autoprune.run)
    assert "autoprune.run" not in sys.modules
