"""`autoprune status` tells how far a run is while another process writes to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autoprune.lock import sole_writer
from autoprune.run_folder import RunFolder


@pytest.fixture(scope="module")
def seen(root: Path, tmp_path_factory: pytest.TempPathFactory):
    """A run in a process of its own: its folder, its process, and what was said meanwhile."""
    folder = tmp_path_factory.mktemp("status") / "run"
    study = root / "tests" / "studies" / "short.toml"
    words = ["run", study, "--workers", "0", "--out", folder]
    main = "from autoprune.cli.main import main; main()"
    log = folder.parent / "log"
    with log.open("w") as stream:
        process = subprocess.Popen([sys.executable, "-c", main, *words], stdout=stream)
        try:
            until = time.monotonic() + 90
            while not list(folder.glob("trials/*.parquet")) and process.poll() is None:
                assert time.monotonic() < until
                time.sleep(0.02)
            ask = [sys.executable, "-c", main, "status", folder, "--json"]
            done = subprocess.run(ask, capture_output=True, text=True, check=True)
            assert process.poll() is None, "the run was over too early to be watched"
            assert process.wait(90) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
    return folder, process.pid, json.loads(done.stdout)


def test_while_another_process_writes(seen) -> None:
    _, process, said = seen
    assert said["writer"]["process"] == process
    assert said["writer_lives"] is True
    assert 1 <= said["done"] < said["trials"] == 7
    assert said["running"] >= 1
    assert sum(said["states"].values()) >= said["done"]


def test_when_it_is_done(autoprune, seen) -> None:
    folder, _, _ = seen
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    said = autoprune("status", folder)
    assert (said.code, said.err) == (0, "")
    assert "Written by: nobody" in said.out
    assert "7 of 7 trials done, 0 running" in said.out
    front = json.loads((folder / "fronts" / "loihi1" / "front.json").read_text())
    trials = ", ".join(str(row["trial"]) for row in front["front"])
    assert f"Front of loihi1: {trials}\n" in said.out
    assert "left" not in said.out
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_a_held_lock_stays_held_and_a_dead_writer_is_told(autoprune, seen) -> None:
    folder, _, _ = seen
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


def test_no_run(autoprune, tmp_path) -> None:
    said = autoprune("status", tmp_path)
    assert said.code == 2
    assert "not a run folder" in said.err
    assert not RunFolder(tmp_path).journal.exists()
