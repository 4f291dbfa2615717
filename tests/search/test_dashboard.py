"""The Optuna study in the real optuna-dashboard: trials, and by how much they exceed budgets."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.storages import open_journal

EXCESSES = {0: {"energy": 0.5, "parameters": -1.0}, 1: {"energy": -0.25, "parameters": -2.0}}


ASKED = {
    "fixed": {"x": 0.5},
    "settled": lambda params: params,
    "describe": lambda trial: {"hash": "0"},
}
"""What is asked for, and said of it, whatever the sampler."""


def opened(file: Path) -> OptunaStudy:
    space = {"x": optuna.distributions.FloatDistribution(0.0, 1.0)}
    directions = ["maximize", "minimize"]
    return OptunaStudy(
        StudyPlace(storage=open_journal(file)), directions, ["accuracy", "energy"], space, 1
    )


@pytest.fixture
def journal(tmp_path) -> Path:
    """Two trials with two budgets, of which the first breaks one, and a third that runs."""
    file = tmp_path / "optuna.journal"
    study = opened(file)
    for number, excesses in EXCESSES.items():
        study.ask(optuna.samplers.RandomSampler(seed=0), **ASKED)
        study.tell(number, [0.9, 1.0 + number], {"state": "measured"}, excesses)
    study.ask(optuna.samplers.RandomSampler(seed=0), **ASKED)
    return file


@pytest.fixture
def ask(journal) -> Iterator[Any]:
    """Asks the API of a dashboard that serves the journal on the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("optuna-dashboard")), str(journal)]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port), "--server", "wsgiref"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def get(path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/{path}", timeout=10) as answer:
            return json.load(answer)

    try:
        for _ in range(300):
            try:
                get("studies")
                break
            except OSError:
                assert server.poll() is None, "the dashboard has ended"
                time.sleep(0.1)
        yield get
    finally:
        server.terminate()
        server.wait(10)


def test_the_dashboard_shows_study_trials_and_budgets(ask):
    (study,) = ask("studies")["study_summaries"]
    assert study["study_name"] == "autoprune"
    trials = ask(f"studies/{study['study_id']}")["trials"]
    assert [trial["state"] for trial in trials] == ["Complete", "Complete", "Running"]
    assert [trial["constraints"] for trial in trials] == [[0.5, -1.0], [-0.25, -2.0], []]


class Looking(optuna.samplers.RandomSampler):
    """Notes the constraints of all finished trials."""

    def before_trial(self, study, trial):
        finished = (optuna.trial.TrialState.COMPLETE,)
        self.seen = [dict(t.constraints) for t in study.get_trials(states=finished)]


@pytest.mark.parametrize("reopened", [False, True])
def test_samplers_see_each_constraint_once(tmp_path, reopened):
    file = tmp_path / "optuna.journal"
    study = opened(file)
    for number, excesses in EXCESSES.items():
        study.ask(Looking(seed=0), **ASKED)
        study.tell(number, [0.9, 1.0], {}, excesses)
    sampler = Looking(seed=0)
    (opened(file) if reopened else study).ask(sampler, **ASKED)
    assert sampler.seen == list(EXCESSES.values())
