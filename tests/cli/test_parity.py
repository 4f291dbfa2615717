"""What a command prints is the value that `autoprune.api` gives, and nothing else."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import autoprune as package
from autoprune import api
from autoprune.report.files import to_document
from autoprune.report.frames import Selection
from autoprune.runs.record import RunRecord


def plain(value: object) -> object:
    """A value as JSON gives it back: tuples are lists."""
    return json.loads(json.dumps(value))


def rows(frame: pd.DataFrame) -> object:
    """A data frame as JSON has it, a row an object."""
    return json.loads(frame.reset_index().to_json(orient="records"))


CASES = {
    "front": lambda run: [to_document(front) for front in run.fronts().fronts],
    "front --machine loihi1": lambda run: to_document(run.machine_front("loihi1")),
    "pick --machine loihi1": lambda run: run.pick("loihi1").to_dict(),
    "pick --machine loihi1 --min-accuracy 0.9": (
        lambda run: run.pick("loihi1", min_accuracy=0.9).to_dict()
    ),
    "compare": lambda run: run.compare().to_dict(),
    "status": lambda run: run.status().to_dict(),
    "trials": lambda run: rows(run.trials()),
    "trials --state measured --sort -trial": (
        lambda run: rows(run.trials(wanted=Selection(state="measured", sort="-trial")))
    ),
    "trials --front loihi1": lambda run: rows(run.trials(wanted=Selection(front="loihi1"))),
    "trials --origin uniform": lambda run: rows(run.trials(wanted=Selection(origin="uniform"))),
}


@pytest.mark.parametrize("words", CASES)
def test_the_json_of_a_command_is_the_value(autoprune, run_folder, words) -> None:
    command, *options = words.split()
    said = autoprune(command, run_folder, *options, "--json")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == plain(CASES[words](package.open_run(run_folder)))


@pytest.mark.parametrize("trial", ["0", "1", "2", "fine-tuned"])
def test_the_json_of_a_trial_is_the_value(autoprune, run_folder, trial) -> None:
    said = autoprune("trial", run_folder, trial, "--json")
    assert json.loads(said.out) == plain(package.open_run(run_folder).trial(trial).to_dict())


@pytest.mark.parametrize("trial", [1, "fine-tuned"])
def test_the_json_of_a_price_is_the_value(autoprune, run_folder, tmp_path, trial) -> None:
    what = f"{run_folder}:{trial}"
    said = autoprune("price", what, "--machine", "loihi1", "--json")
    found = api.cost_report(what, "loihi1")
    assert json.loads(said.out) == plain(found.to_dict())
    assert found.cost == package.open_run(run_folder).price(trial, "loihi1")
    file = tmp_path / "w.json"
    autoprune("workload", run_folder, trial, "--weight-bits", 8, "--out", file)
    alone = autoprune("price", file, "--machine", "loihi1", "--json")
    assert json.loads(said.out) == {**json.loads(alone.out), "counted": found.numbers}
    assert found.numbers == "8 bits"


def test_the_verdicts_that_check_prints_are_the_value(autoprune, root) -> None:
    file, told = root / "cost_models" / "loihi1.toml", []
    said = autoprune("check", file)
    (correct,) = package.check(str(file), watch=told.append)
    words = [f"{verdict.word} {verdict.rule}" for verdict in correct.verdicts]
    said_so = " ".join(said.out.split())  # broken into lines of 80 columns
    assert said_so == " ".join([*words, f"{file}: a correct machine"])
    assert tuple(told) == correct.verdicts and len(told) > 10


def test_what_list_and_show_print_is_the_value(autoprune) -> None:
    listed, shipped = autoprune("list").out, api.shipped()
    assert all(f"  {name} " in listed for titles in shipped.titles.values() for name in titles)
    study, space = api.show("digits")
    assert (study.kind, space.kind) == ("study", "search space")
    assert autoprune("show", "digits").out == (
        f"# study: {study.file}\n\n{study.text}\n# search space: {space.file}\n\n{space.text}\n"
    )


def test_a_front_is_the_same_in_all_its_forms(run_folder) -> None:
    run = package.open_run(run_folder)
    frame, (picked,) = run.front("loihi1"), [run.pick("loihi1").to_dict()["pick"]]
    (row,) = to_document(run.machine_front("loihi1"))["front"]
    trial = run.trials("loihi1").loc[row["trial"]]
    for name in ("val_accuracy", "test_accuracy", "energy_uj", "kept_weights", "plan"):
        assert frame.loc[row["trial"], name] == row[name] == picked[name]
    assert (trial["plan"], trial["kept_weights"]) == (row["plan"], row["kept_weights"])
    assert trial["val_accuracy@loihi1"] == row["val_accuracy"] != trial["val_accuracy"]
    assert (row["accuracy_bits"], trial["accuracy_bits"]) == (8, 32)
    assert trial["energy_uj@loihi1"] == row["energy_uj"]


COMMANDS = (
    "front RUN --json",
    "pick RUN --machine loihi1",
    "compare RUN",
    "trials RUN",
    "trial RUN 1",
    "status RUN",
    "report RUN",
    "price RUN:1 --machine loihi1 --sensitivity 0.5",
)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_parses_the_record_once(autoprune, run_folder, monkeypatch, words) -> None:
    read = []
    parse = RunRecord.from_json
    monkeypatch.setattr(RunRecord, "from_json", lambda *given: read.append(1) or parse(*given))
    assert autoprune(*(word.replace("RUN", str(run_folder)) for word in words.split())).code == 0
    assert len(read) == 1
