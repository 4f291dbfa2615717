"""Commands that read a run work while it is written; those that write are refused."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

AUTOPRUNE = [sys.executable, "-c", "from autoprune.cli.main import main; main()"]


@pytest.fixture
def sweep(root, tmp_path):
    """A run of real trials that goes on, and its folder."""
    folder = tmp_path / "run"
    study = root / "tests" / "studies" / "short.toml"
    command = [*AUTOPRUNE, "run", study, "--workers", "0", "--trials", "5000", "--out", folder]
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 600
    while len(list((folder / "trials").glob("*.parquet"))) < 7:
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.stderr.read()
        time.sleep(0.02)
    yield driver, folder
    driver.kill()
    driver.communicate()


@pytest.mark.slow
def test_reading_while_a_sweep_writes(sweep, autoprune, tmp_path):
    driver, folder = sweep
    commands = [
        ["front", folder],
        ["front", folder, "--machine", "ops45_int8", "--csv"],
        ["compare", folder],
        ["price", f"{folder}:parent", "--machine", "loihi1", "--explain"],
        ["price", f"{folder}:3", "--machine", "loihi1"],
        ["workload", folder, "3", "--out", tmp_path / "workload.json"],
        ["export", folder, "fine-tuned", "--out", tmp_path / "network"],
    ]
    before = len(list((folder / "trials").glob("*.parquet")))
    for command in commands:
        said = autoprune(*command)
        assert said.code == 0, (command, said.err)
        assert said.out or command[0] in ("workload", "export")
        assert driver.poll() is None, driver.stderr.read()
    assert len(list((folder / "trials").glob("*.parquet"))) > before
    study = (folder / "study.toml").read_text(encoding="utf-8")
    assert "A few real trials" in study
    refused = autoprune("confirm", folder, "--workers", "0")
    assert refused.code == 2
    words = " ".join(refused.err.split())
    assert f"in use by process {driver.pid} on host" in words
    assert "It is running: wait for it, or end it" in words
