"""SIGTERM and SIGHUP end a run as Ctrl-C does: in their grace, with fronts, nothing left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psutil
import pytest

from autoprune.runs.folder import RunFolder
from autoprune.sweep.stop import Stop, Terminated
from autoprune.sweep.tested import evaluate_tests
from autoprune.trial.key import TrialKey
from tests.short import SHORT

if TYPE_CHECKING:
    from autoprune.trial.setup import Setup

AUTOPRUNE = [sys.executable, "-c", "from autoprune.cli.main import main; main()"]


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """SIGHUP as a terminal has it: what nohup tells this process to ignore is not for the runs."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_no_more_trials_begin_and_those_that_run_have_their_grace(number):
    said: list[str] = []
    stop, before = Stop(say=said.append, grace_s=0.05), signal.getsignal(number)
    with pytest.raises(Terminated) as ended, stop.listening():
        os.kill(os.getpid(), number)
        assert stop.asked
        time.sleep(10)
        pytest.fail("it was not ended")
    assert ended.value.code == stop.code == 128 + number
    assert said == ["Terminated: trials that run have 0.05 s to finish."]
    assert signal.getsignal(number) is before
    assert signal.setitimer(signal.ITIMER_REAL, 0) == (0.0, 0.0)


def test_a_second_one_ends_at_once():
    stop = Stop(grace_s=600)
    with pytest.raises(Terminated), stop.listening():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        pytest.fail("it was not ended")
    assert signal.setitimer(signal.ITIMER_REAL, 0) == (0.0, 0.0)


def test_what_is_done_within_its_grace_is_not_ended():
    stop = Stop(grace_s=0.05)
    with stop.listening():
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.1)
    assert stop.code == 143


def test_a_signal_that_is_ignored_stays_so():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stop = Stop()
    with stop.listening():
        os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.asked


def test_one_that_ends_a_run_among_its_test_data_leaves_its_fronts(
    short_run, tmp_path, monkeypatch, autoprune
):
    """After the last trial: the network that is evaluated is finished, and no other begins."""
    place = Path(shutil.copytree(short_run, tmp_path / "run"))
    shutil.rmtree(place / "fronts")
    evaluated: list[object] = []

    def scores(*given: object) -> list[object]:
        os.kill(os.getpid(), signal.SIGTERM)
        evaluated.append(given)
        return []

    monkeypatch.setattr("autoprune.sweep.tested._scores", scores)
    said = autoprune("run", SHORT, "--workers", "0", "--out", place)
    assert said.code == 143, said.err
    assert "The same command goes on where it stopped." in said.out
    assert len(evaluated) == 1
    assert (place / "fronts" / "loihi1" / "front.json").is_file()


def test_the_network_that_is_evaluated_has_its_grace(monkeypatch, tmp_path):
    def scores(*_: object) -> list[object]:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
        pytest.fail("it was not ended")

    monkeypatch.setattr("autoprune.sweep.tested._scores", scores)
    stop, keys = Stop(grace_s=0.05), [TrialKey(0), TrialKey(1)]
    with stop.listening():
        found = evaluate_tests(RunFolder(tmp_path), cast("Setup", None), 1, keys, stop)
    assert found == ([], False)


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGTERM, marks=pytest.mark.full),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "workers",
    [pytest.param(0, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.ray)],
)
def test_a_run_is_ended_with_its_fronts_and_goes_on(tmp_path, request, number, workers):
    """Each of its processes is told, as Slurm and systemd do, and a terminal its process group."""
    folder = tmp_path / "run"
    command = [*AUTOPRUNE, "run", SHORT, "--workers", str(workers), "--grace", "20s", "--out"]
    driver = subprocess.Popen(
        [*command, str(folder), "--trials", "5000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    request.addfinalizer(driver.kill)
    deadline = time.monotonic() + 600
    while len(list((folder / "trials").glob("*.parquet"))) < 8:
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.05)
    family = psutil.Process(driver.pid).children(recursive=True)
    for process in [*family, psutil.Process(driver.pid)]:
        process.send_signal(number)
    said, _ = driver.communicate(timeout=120)
    assert driver.returncode == 128 + number, said
    assert "Traceback" not in said and "SIGABRT" not in said and "***" not in said
    assert "Terminated: trials that run have 20 s to finish." in said
    assert "The same command goes on where it stopped." in said
    assert {place.name for place in (folder / "fronts").iterdir()} >= {"loihi1"}
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    done = len(list((folder / "trials").glob("*.parquet")))
    again = [*AUTOPRUNE, "run", SHORT, "--workers", "0", "--trials", "5", "--out", str(folder)]
    assert subprocess.run(again, capture_output=True, check=False).returncode == 0
    assert len(list(Path(folder / "trials").glob("*.parquet"))) >= done
