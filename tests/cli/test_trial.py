"""`autoprune trial` explains one trial of a run."""

from __future__ import annotations

import json
from dataclasses import replace

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from autoprune.cost.load import load_machine
from autoprune.report.units import energy_words
from autoprune.runs.folder import RunFolder
from autoprune.search.block_response import GAIN
from autoprune.trial.key import FINE_TUNED, TrialKey


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
        model.price(folder.read_workload(key, 8)).energy_uj for key in (TrialKey(1), FINE_TUNED)
    )
    assert loihi["energy_uj"] == energy
    assert loihi["energy_ratio"] == pytest.approx(energy / parent)
    assert sum(loihi["energy_pj_by_cause"].values()) == pytest.approx(energy * 1e6)
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


@pytest.mark.parametrize("asked", ["3", "4", "without blocks.0.mlp"])
def test_what_shares_a_baselines_measurement_is_on_the_front(
    asked, autoprune, run_folder, measured
) -> None:
    """Trial 3 is the baseline, not trained again, and trial 4 a duplicate of it."""
    folder = RunFolder(run_folder)
    known, removed = folder.read(TrialKey(1)), TrialKey.parse("without blocks.0.mlp")
    best = measured(known.plan, correct=99, zeros=0.875, rounded={8: 99})
    for key, state, same_as in (
        (removed, "measured", None),
        (TrialKey(3), "measured", removed),
        (TrialKey(4), "duplicate", TrialKey(3)),
    ):
        folder.write(replace(known, key=key, state=state, same_as=same_as, measurement=best))
    assert autoprune("trial", run_folder, asked).out.count("  on the front\n") == 2


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


def test_every_line_of_a_measured_one(autoprune, run_folder) -> None:
    folder, lines = RunFolder(run_folder), autoprune("trial", run_folder, "1").out.splitlines()
    outcome = folder.read(TrialKey(1))
    assert lines[:2] == ["Trial 1: measured", "Proposed by: sampled; seed 0"]
    assert lines[2] == f"Plan: {outcome.plan.short(folder.record.shape)}"
    assert "  blocks.0.attention: A 75%" in lines
    (score,) = [line for line in lines if line.startswith("validation accuracy, 8 bits")]
    low, high = outcome.measurement.at(8).validation.interval
    assert score.endswith(f": 96.0 % [{100 * low:.1f} {100 * high:.1f}]")
    assert any(line.startswith("test accuracy, 32 bits: 97.0 % [") for line in lines)
    assert "1000 nonzero parameters; 25.0 % of block weights kept" in lines
    energy = load_machine("loihi1").price(folder.read_workload(TrialKey(1), 8)).energy_uj
    (loihi,) = [place for place, line in enumerate(lines) if line.startswith("loihi1: ")]
    assert lines[loihi].startswith(f"loihi1: {energy_words(energy, 4)} at 8 bits, ")
    assert lines[loihi + 1] == "  on the front"
    shares = [float(line.split("%")[0]) for line in lines[loihi + 2 :] if line[7:9] == " %"]
    assert sum(shares) == pytest.approx(200, abs=0.5), "of both machines"
    assert "Time: training 1.0 s, evaluation 0.1 s, census 0.1 s, other 0.0 s" in lines
    assert lines[-1] == f"Export: autoprune export {run_folder} 1 --out network_1"


def test_duplicates_budgets_and_many_betters(autoprune, run_folder, measured) -> None:
    folder = RunFolder(run_folder)
    known = folder.read(TrialKey(1))
    folder.write(replace(known, key=TrialKey(3), state="duplicate", same_as=TrialKey(1)))
    broken = (("energy_uj@loihi1 <= 1", 0.25),)
    folder.write(replace(known, key=TrialKey(4), state="infeasible", broken=broken))
    for number in range(105, 145):
        zeros, correct = 0.25 + number / 200, 201 - number
        better = measured(known.plan, correct=correct, zeros=zeros)
        folder.write(replace(known, key=TrialKey(100 * number), measurement=better))
    said = autoprune("trial", run_folder, "3").out.splitlines()
    assert said[0] == "Trial 3: duplicate of 1, not trained again"
    assert not any(line.startswith("Time: ") for line in said)
    assert said[-1].endswith(" 1 --out network_1")
    assert "Breaks energy_uj@loihi1 <= 1 by 25 %" in autoprune("trial", run_folder, "4").out
    said = autoprune("trial", run_folder, "0").out.splitlines()
    first = next(place for place, line in enumerate(said) if "  dominated by" in line)
    assert said[first + 1].startswith("    "), "too many for one line"
    assert max(map(len, (line for line in said if not line.startswith("Export")))) <= 80
