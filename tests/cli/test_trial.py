"""`autoprune trial` explains one trial of a run."""

from __future__ import annotations

import json

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from autoprune.cost.load import load_machine
from autoprune.run_folder import RunFolder
from autoprune.search.block_response import GAIN


def test_a_member_of_the_front(autoprune, run_folder) -> None:
    said = autoprune("trial", run_folder, "1", "--json")
    assert (said.code, said.err) == (0, "")
    found = json.loads(said.out)
    assert (found["state"], found["origin"], found["expected_gain"]) == (
        "measured",
        "sampled",
        None,
    )
    assert found["branches"]["blocks.0.attention"] == "A 75%"
    scores = {(score["bits"], score["set"]): score["value"] for score in found["scores"]}
    assert scores[32, "validation"] == 0.97
    assert scores[8, "validation"] == 0.96
    loihi = next(m for m in found["machines"] if m["machine"] == "loihi1")
    folder, model = RunFolder(run_folder), load_machine("loihi1")
    energy, parent = (
        model.price(folder.read_workload(key, 8)).energy_uj for key in ("1", "fine-tuned")
    )
    assert loihi["energy_uj"] == energy
    assert loihi["energy_ratio"] == pytest.approx(energy / parent)
    assert sum(loihi["by_cause"].values()) == pytest.approx(energy * 1e6)
    assert (loihi["on_front"], loihi["dominated_by"]) == (True, [])
    assert found["export"] == f"autoprune export {run_folder} 1 --out network_1"


def test_what_its_sampler_expected(autoprune, run_folder) -> None:
    backend = JournalFileBackend(str(RunFolder(run_folder).journal))
    study = optuna.create_study(study_name="autoprune", storage=JournalStorage(backend))
    for gain in (None, 0.125):
        attributes = {} if gain is None else {GAIN: gain}
        study.add_trial(optuna.trial.create_trial(value=0.0, system_attrs=attributes))
    found = json.loads(autoprune("trial", run_folder, "1", "--json").out)
    assert found["expected_gain"] == 0.125
    assert "expected gain of hypervolume 0.125" in autoprune("trial", run_folder, "1").out


def test_one_that_is_dominated(autoprune, run_folder) -> None:
    said = autoprune("trial", run_folder, "0")
    assert said.code == 0
    assert said.out.count("  dominated by 1\n") == 2
    assert "on the front" not in said.out
    assert "Proposed by: uniform" in said.out


def test_one_that_failed(autoprune, run_folder) -> None:
    said = autoprune("trial", run_folder, "2")
    assert said.code == 0
    assert said.out.endswith("Cause:\nkilled\n")
    assert "Export" not in said.out


def test_what_is_not_there(autoprune, run_folder, tmp_path) -> None:
    said = autoprune("trial", run_folder, "9")
    assert (said.code, said.out) == (2, "")
    assert "no trial '9'" in said.err
    assert "not a run folder" in autoprune("trial", tmp_path, "9").err
