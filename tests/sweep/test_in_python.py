"""A study run by one call in Python: the trials of the command, from a file or a value."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

import autoprune
from autoprune.config import find_file
from autoprune.errors import InputError
from autoprune.files import read_text
from autoprune.runs.folder import RunFolder
from autoprune.study.check import load_checked
from autoprune.study.identity import identity
from autoprune.study.study import Study, load_study
from autoprune.sweep.prepare import prepare
from autoprune.sweep.record import write_study

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


def values(study: Study) -> Study:
    """The study with values for its space, one of its machines, and another of a file."""
    tables = tomllib.loads(read_text(find_file("cost_models", "loihi1")))
    loihi1 = autoprune.Machine.of("loihi1", **tables)
    return autoprune.Study(
        **dict(study.model_dump(exclude_unset=True, exclude={"space", "machines"})),
        space=autoprune.Space(**tomllib.loads(read_text(Path("short_space.toml")))),
        machines=[loihi1, *study.machines[1:]],
    )


@pytest.mark.full
def test_a_value_gives_the_trials_of_its_file(short, lying_beside, short_run, tmp_path):
    by_file = autoprune.open_run(short_run)
    study = values(lying_beside)
    by_value = autoprune.run(study, out=tmp_path / "value")
    alike = ["state", "origin", "val_accuracy", "energy_uj@loihi1", "plan"]
    assert 0 < len(by_value.trials()) < len(by_file.trials())

    with pytest.warns(UserWarning, match="another environment: "):  # of texts, not of the study
        by_both = autoprune.run(short, out=by_value.folder.path, workers=0)
    assert by_both.trials()[alike].equals(by_file.trials()[alike])
    assert list(by_both.front("loihi1").index) == list(by_file.front("loihi1").index)
    loihi1, *_ = study.machines
    assert by_both.front(loihi1).equals(by_both.front("loihi1"))


def test_a_study_without_files_is_kept_as_files(lying_beside, tmp_path):
    study, folder = values(lying_beside), RunFolder(tmp_path / "run")
    prepared = prepare(study)
    write_study(prepared, folder)
    assert sorted(file.name for file in folder.machines.iterdir()) == [
        "loihi1.toml",
        "ops45_fp32.toml",
        "systolic_14x12.toml",
    ]
    again = load_checked(str(folder.path / "study.toml"))
    assert identity(again) == prepared.built.identity
    assert again.machines["loihi1"].machine.numbers() == study.machines[0].numbers()


def test_the_values_show_themselves_in_a_line(lying_beside):
    study = values(lying_beside)
    assert repr(study) == (
        "<study 'A few real trials on a small network, in seconds': digits, 6 trials, "
        "loihi1, systolic_14x12, ops45_fp32>"
    )
    assert repr(study.space).startswith("<search space 'Three uniform configurations, ")
    assert repr(study.machines[0]).startswith("<machine loihi1: ")
    assert {"Machine", "Space", "Study"} <= {*dir(autoprune)}


def test_what_is_wrong_with_a_value_is_said(lying_beside, tmp_path):
    machine = {"title": "Mine", "family": "op_energy", "weight_bit": 8}
    with pytest.raises(InputError, match="machine mine: weight_bit: .* did you mean 'weight_bits'"):
        autoprune.Machine.of("mine", **machine)
    with pytest.raises(InputError, match="given the name '../mine'"):
        autoprune.Machine.of("../mine", **machine)
    with pytest.raises(ValidationError, match="text: a name, or a path of a file"):
        autoprune.Study(**lying_beside.model_dump() | {"machines": [3]})
    wrong = autoprune.Space(title="Mine", branch={"mlp": {"l1q": {"values": [0.5]}}})
    study = lying_beside.model_copy(update={"space": wrong})
    with pytest.raises(InputError, match="search space 'Mine': branch.mlp.l1q.*mean 'l1p'"):
        autoprune.run(study, out=tmp_path / "run")


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
