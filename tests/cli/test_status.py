"""`autoprune status` tells how far a run is while another process writes to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autoprune.cost.load import load_machine
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer
from autoprune.trial.key import TrialKey


@pytest.fixture(scope="module")
def done(short_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    return shutil.copytree(short_run, tmp_path_factory.mktemp("status") / "run")


@pytest.mark.full
def test_while_another_process_writes(root, tmp_path) -> None:
    folder, log = tmp_path / "run", tmp_path / "log"
    study = root / "tests" / "studies" / "short.toml"
    words = ["run", study, "--workers", "0", "--out", folder]
    main = "from autoprune.cli.main import main; main()"
    with log.open("w") as stream:
        process = subprocess.Popen([sys.executable, "-c", main, *words], stdout=stream)
        try:
            until = time.monotonic() + 600
            while not list(folder.glob("trials/*.parquet")) and process.poll() is None:
                assert time.monotonic() < until
                time.sleep(0.02)
            ask = [sys.executable, "-c", main, "status", folder, "--json"]
            said = json.loads(subprocess.run(ask, capture_output=True, check=True).stdout)
            assert process.poll() is None, "the run was over too early to be watched"
            assert process.wait(600) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
    assert said["writer"]["process"] == process.pid
    assert said["writer_lives"] is True
    assert 1 <= said["done"] < said["trials"] == 7
    assert said["running"] >= 1
    assert sum(said["states"].values()) >= said["done"]


def test_when_it_is_done(autoprune, done) -> None:
    folder = done
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    said = autoprune("status", folder)
    assert (said.code, said.err) == (0, "")
    assert "Written by: nobody" in said.out
    ends = "7 of 7 trials done, 0 running; 9 measured, 0 duplicate, 0 infeasible, 0 failed"
    title = "A few real trials on a small network, in seconds"
    assert said.out.startswith(f"{title}\nWritten by: nobody\n5 baselines measured\n{ends}\n")
    front = json.loads((folder / "fronts" / "loihi1" / "front.json").read_text())
    trials = ", ".join(str(row["trial"]) for row in front["front"])
    assert f"Front of loihi1: {trials}\n" in said.out
    assert "left" not in said.out
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_a_held_lock_stays_held_and_a_dead_writer_is_told(autoprune, done) -> None:
    folder = done
    with sole_writer(folder) as hold:
        said = autoprune("status", folder)
        assert f"Written by: process {os.getpid()} on host" in said.out
        assert hold.lasts
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with sole_writer(folder):
        lock = folder / "run.lock"
        named = json.loads(lock.read_text()) | {"process": ended.pid}
        lock.write_text(json.dumps(named))
        assert "(dead)" in autoprune("status", folder).out
    lock.write_text("")


def test_speed_and_time_left_are_of_the_present_writer(autoprune, done, tmp_path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(done, folder)
    study = json.loads((folder / "study.json").read_text())
    (folder / "study.json").write_text(json.dumps(study | {"trials": 19}))
    start = 1.8e9
    heads = RunFolder(folder).read_heads()
    trained = [head.key for head in heads if head.ended.origin != "baseline"]
    for place, key in enumerate(trained):  # the first two are of an earlier writer
        end = start + 120 * (place - 1.5) - (5e6 if place < 2 else 0)
        os.utime(RunFolder(folder).file(key), (end, end))
    with sole_writer(folder):
        lock = folder / "run.lock"
        since = datetime.fromtimestamp(start, UTC).replace(tzinfo=None).isoformat(" ")
        lock.write_text(json.dumps(json.loads(lock.read_text()) | {"since": since}))
        found = json.loads(autoprune("status", folder, "--json").out)
        assert found["trials_per_hour"] == pytest.approx(30)
        assert found["minutes_left"] == pytest.approx(24)
        said = autoprune("status", folder).out
        assert "7 of 19 trials done" in said
        assert said.endswith("30 trials an hour\nSome 24 minutes left\n")
        (folder / "study.json").write_text(json.dumps(study))
        said = autoprune("status", folder).out
        assert "7 of 7 trials done" in said
        assert said.endswith("All trials are done; members of fronts are evaluated on test data\n")
    lock.write_text("")


def test_fronts_of_many_trials_stay_within_80_columns(autoprune, run_folder, measured) -> None:
    folder = RunFolder(run_folder)
    folder.write_record(replace(folder.record, trials=145))
    known = folder.read(TrialKey(1))
    for number in range(105, 145):
        found = measured(known.plan, correct=201 - number, zeros=0.25 + number / 200)
        folder.write(replace(known, key=TrialKey(number), measurement=found))
    said = autoprune("status", run_folder).out
    assert max(map(len, said.splitlines())) <= 80
    front = said[said.index("Front of loihi1: ") + 17 : said.index("validation")]
    asked = json.loads(autoprune("status", run_folder, "--json").out)
    assert [int(n) for n in front.split(",")] == asked["fronts"]["loihi1"]
    assert len(asked["fronts"]["loihi1"]) > 20
    for number, (score, energy) in zip(
        asked["fronts"]["loihi1"], asked["pairs"]["loihi1"], strict=True
    ):
        precision = folder.read(TrialKey(number)).measurement.at(8)
        assert abs(score - precision.validation.accuracy) < 0.05  # drawn towards the others
        assert energy == load_machine("loihi1").price(precision.workload).energy_uj


def test_no_run(autoprune, tmp_path) -> None:
    said = autoprune("status", tmp_path)
    assert said.code == 2
    assert "not a run folder" in said.err
    assert not RunFolder(tmp_path).journal.exists()
