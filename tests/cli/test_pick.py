"""`autoprune pick`: the answer as text and JSON, and its exit codes."""

from __future__ import annotations

import json

import autoprune as package


def test_the_answer_names_reason_and_export(autoprune, run_folder) -> None:
    said = autoprune("pick", run_folder, "--machine", "loihi1", "--max-energy-uj", "1000000")
    assert said.code == 0 and not said.err
    assert "loihi1: trial 1" in said.out
    assert "the most accurate of 2 trials with energy_uj@loihi1 <= 1e+06" in said.out.replace(
        "\n", " "
    )
    assert f"autoprune export {run_folder} 1 --out network_1" in said.out
    lines = [line for line in said.out.splitlines() if not line.startswith("Export: ")]
    assert max(map(len, lines)) <= 80


def test_json_equals_what_python_answers(autoprune, run_folder) -> None:
    said = autoprune("pick", run_folder, "--machine", "loihi1", "--min-accuracy", "0.9", "--json")
    found = package.open_run(run_folder).pick("loihi1", min_accuracy=0.9)
    document = json.loads(said.out)
    assert (document["trial"], document["reason"]) == (1, found.reason)
    assert document["pick"]["energy_uj"] == found.row.energy_uj


def test_where_nothing_fits_the_exit_code_is_3(autoprune, run_folder) -> None:
    said = autoprune("pick", run_folder, "--machine", "loihi1", "--min-accuracy", "0.99", "--json")
    assert said.code == 3
    document = json.loads(said.out)
    assert (document["trial"], document["binding"]) == (None, "accuracy >= 0.99")
    assert document["nearest"]["trial"] == 1


def test_an_impossible_limit_is_a_mistake(autoprune, run_folder) -> None:
    said = autoprune("pick", run_folder, "--machine", "loihi1", "--min-accuracy", "90")
    assert (said.code, said.out) == (2, "")
    assert "min_accuracy: given 90.0; expected 0 to 1" in said.err


def test_frames_hold_the_front_and_all_trials(run_folder) -> None:
    run = package.open_run(run_folder)
    assert run.machines == ["loihi1", "ops45_int8"]
    front = run.front("loihi1")
    assert list(front.index) == [1]
    assert front.loc[1, "val_accuracy"] == 0.96  # at 8 bits
    trials = run.trials("loihi1")
    assert list(trials["state"]) == ["measured", "measured", "failed"]
    assert trials.loc[1, "energy_uj@loihi1"] == front.loc[1, "energy_uj"]
    assert list(trials["fronts"]) == ["", "loihi1", ""]
    assert trials.loc[2, "cause"] == "killed"
