"""What a run was measured under stands in its folder, and a run that goes on says what changed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

import autoprune
from autoprune.errors import RecordError
from autoprune.runs.environment import Environment, read_environments, record_environment

FILES = {"study": "a study", "machine chip": "a machine"}


@pytest.fixture
def here() -> Environment:
    return Environment.here(gpu="", threads=1, seed=7, files=FILES, first_trial=0)


def test_it_has_versions_processor_and_hashes(here, root):
    assert here.versions["torch"] == version("torch")
    assert here.versions["python"] == sys.version.split()[0]
    assert (here.threads, here.seed) == (1, 7)
    assert here.processor
    assert here.files["study"] != here.files["machine chip"]
    checkout = Path(autoprune.__file__).is_relative_to(root) and (root / ".git").exists()
    assert bool(here.commit) == checkout
    if checkout:
        git = ["git", "-C", str(root), "rev-parse", "HEAD"]
        head = subprocess.run(git, capture_output=True, text=True, check=True).stdout
        assert head.startswith(here.commit.removesuffix("+changes"))
        assert len(here.commit) >= 12


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"versions": {"torch": "1.0"}}, "torch 1.0 -> "),
        ({"processor": "an abacus"}, "processor an abacus -> "),
        ({"threads": 2}, "threads 2 -> 1"),
        ({"commit": "abc"}, "commit abc -> "),
        ({"files": {"study": "0"}}, "study 0 -> "),
    ],
)
def test_what_changed_is_named(here, change, said):
    assert any(line.startswith(said) for line in here.changes(replace(here, **change)))


def test_when_it_was_started_is_no_change(here):
    assert here.changes(replace(here, since="yesterday", first_trial=9)) == []


def test_another_one_is_noted_beside_the_first(here, tmp_path):
    file = tmp_path / "environments.json"
    assert read_environments(file) == []
    for one in (here, replace(here, first_trial=4), replace(here, threads=2, first_trial=8)):
        record_environment(file, one)
    assert [(e.threads, e.first_trial) for e in read_environments(file)] == [(1, 0), (2, 8)]
    file.write_text("[{}]")
    with pytest.raises(RecordError, match="damaged"):
        read_environments(file)


@pytest.mark.full
def test_a_run_that_goes_on_elsewhere_says_so(autoprune, root, tmp_path):
    study = root / "tests" / "studies" / "short.toml"

    def command(trials: int) -> str:
        options = ["--workers", "0", "--trials", str(trials), "--out", str(tmp_path / "run")]
        said = autoprune("run", study, *options)
        assert said.code == 0, said.err
        return " ".join(said.out.split())

    assert "another environment" not in command(2)
    file = tmp_path / "run" / "environments.json"
    [recorded] = json.loads(file.read_text())
    assert recorded["seed"] == 3
    assert {"study", "space short_space.toml", "machine loihi1"} <= recorded["files"].keys()
    recorded["versions"]["torch"] = "1.0"
    file.write_text(json.dumps([recorded]))
    assert f"under another environment: torch 1.0 -> {version('torch')}." in command(3)
    assert len(json.loads(file.read_text())) == 2
