"""Nothing that was measured is lost, repeated or corrupted, whatever is killed, full or cut."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tests.faults.conftest import Run

KILLS_IN_A_WRITE = 24
KILLS_AT_ANY_TIME = 12


@pytest.fixture
def run(short, tmp_path) -> Run:
    return Run(short, tmp_path / "run")


def killed_in_writes(run: Run, moments: list[int]) -> None:
    """One command after the other, each killed at its moment, or at its end if that comes first."""
    for moment in moments:
        code, said = run.finish("kill", moment)
        assert code in (-signal.SIGKILL, 0), said


@pytest.mark.faults
def test_a_bad_day(run, undisturbed, check):
    """Killed inside a write, journal and a trial's file cut, then no space left: the short form."""
    moments = undisturbed.moments()
    killed_in_writes(run, [moments // 3])
    journal = run.folder / "optuna.journal"
    os.truncate(journal, max(0, journal.stat().st_size - 40))
    file = max(run.folder.glob("trials/*.parquet"))
    os.truncate(file, file.stat().st_size // 2)
    del run.trained[file]
    code, said = run.finish("full", moments // 4)
    assert code == 2, said
    assert "No space left on device" in said
    check(run, "killed, cut twice, no space left", 4)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(KILLS_IN_A_WRITE // 4))
def test_a_driver_killed_inside_writes(run, undisturbed, check, seed):
    rng = random.Random(seed)
    moments = [rng.randint(1, undisturbed.moments() // 3) for _ in range(4)]
    killed_in_writes(run, moments)
    check(run, "driver killed inside a write", len(moments))


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(KILLS_AT_ANY_TIME // 3))
def test_a_driver_killed_at_any_time(run, check, seed):
    rng = random.Random(seed)
    for _ in range(3):
        driver = run.start()
        began = time.monotonic()
        wait = rng.uniform(2.0, 8.0)  # from before it has read the study
        while time.monotonic() - began < wait and driver.poll() is None:
            time.sleep(0.01)
        driver.kill()
        driver.communicate()
        run.remember()
    check(run, "driver killed at any time", 3)


def begun(run: Run, trials: int, driver: subprocess.Popen) -> None:
    """Wait until so many trials are on disk."""
    deadline = time.monotonic() + 600
    while len(list(run.folder.glob("trials/*.parquet"))) < trials:
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.01)


def below(driver: subprocess.Popen, word: str) -> list[psutil.Process]:
    """The driver's processes of that name."""
    found = []
    for process in psutil.Process(driver.pid).children(recursive=True):
        try:
            if word in " ".join([process.name(), *process.cmdline()[:1]]):
                found.append(process)
        except psutil.Error:  # it has just ended
            continue
    return found


def end(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


@pytest.mark.faults
@pytest.mark.ray
@pytest.mark.parametrize("after", [2, 4, 6])
def test_workers_killed_while_they_train(run, check, after):
    """The sweep itself goes on: trials of a dead worker run again under their numbers."""
    run.workers = 2
    driver = run.start()
    begun(run, after, driver)
    workers = below(driver, "Trainable")
    end(workers)
    said, _ = driver.communicate(timeout=600)
    run.remember()
    assert workers
    assert driver.returncode == 0, said
    check(run, "workers killed", len(workers))


@pytest.mark.faults
@pytest.mark.ray
def test_workers_frozen_while_they_train(short_study, tmp_path, check):
    """They cannot end themselves: they are ended from outside, and their trials run again."""
    run = Run(str(short_study(after="[compute]\ntrial_minutes = 0.7")), tmp_path / "run", workers=2)
    driver = run.start()
    begun(run, 3, driver)
    workers = below(driver, "Trainable")
    for worker in workers:
        worker.suspend()
    said, _ = driver.communicate(timeout=300)
    run.remember()
    assert workers
    assert driver.returncode == 0, said
    assert not [worker for worker in workers if worker.is_running()]
    check(run, "a worker frozen while it trains", len(workers))


@pytest.mark.faults
@pytest.mark.ray
def test_all_workers_ended_for_want_of_memory(run, monkeypatch, check):
    """Ray ends every worker on a node that is short of it: one line, and nothing is on record."""
    run.workers = 2
    with monkeypatch.context() as patch:
        patch.setenv("RAY_memory_usage_threshold", "0.01")
        code, said = run.finish()
    assert code == 2, said
    assert said.splitlines()[-1].endswith(
        "network could not be measured: ended by Ray, its node being short of memory (run 4 times)"
    )
    assert "Traceback" not in said and "ERROR" not in said
    assert run.trained == {}
    check(run, "all workers ended for want of memory", 8)


@pytest.mark.faults
@pytest.mark.ray
@pytest.mark.parametrize("name", ["raylet", "gcs_server"])
def test_rays_processes_killed(run, check, name):
    run.workers = 2
    driver = run.start()
    begun(run, 3, driver)
    others = psutil.Process(driver.pid).children(recursive=True)
    struck = below(driver, name)
    end(struck)
    assert struck
    try:
        driver.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        driver.kill()  # as a user does whose sweep stands still
        driver.communicate()
    end(others)  # what Ray leaves behind
    run.remember()
    check(run, f"{name} killed", len(struck))


@pytest.mark.faults
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_a_full_disk(run, undisturbed, check, share):
    """Every write fails from then on: the command says so, and goes on once there is room."""
    code, said = run.finish("full", round(share * undisturbed.moments()))
    assert code == 2, said
    assert "No space left on device" in said
    assert "Traceback" not in said
    check(run, "no space left, injected", 1)


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system: for root only")
def test_a_small_file_system_that_is_full(short, tmp_path, check):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        ballast = disk / "ballast"
        for room in (60_000, 150_000, 300_000):
            ballast.unlink(missing_ok=True)
            ballast.write_bytes(bytes(free(disk) - room))
            run = Run(short, disk / "run")
            code, said = run.finish()
            assert code == 2, said
            assert "No space left on device" in said
        ballast.unlink()
        check(run, "small file system full", 3)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.faults
@pytest.mark.parametrize("cut", [1, 40, 400])
def test_the_records_last_bytes_cut(run, undisturbed, check, cut):
    """The Optuna journal is cut after a kill: what it forgot stands in the trials' own files."""
    run.finish("kill", undisturbed.moments() // 2)
    journal = run.folder / "optuna.journal"
    os.truncate(journal, max(0, journal.stat().st_size - cut))
    check(run, "journal's last bytes cut", 1)


@pytest.mark.faults
@pytest.mark.parametrize("left", [0.0, 0.5])
def test_a_record_that_is_older_than_the_folder(run, undisturbed, check, left):
    """The journal of a backup, or none: the trials' own files are the record."""
    run.finish("kill", undisturbed.moments() // 2)
    journal = run.folder / "optuna.journal"
    os.truncate(journal, int(left * journal.stat().st_size))
    check(run, "the Optuna study halved, and gone", 1)


@pytest.mark.faults
@pytest.mark.parametrize("gone", [False, True])
def test_a_database_that_is_older_than_the_folder(short_study, undisturbed, tmp_path, check, gone):
    """As a backup leaves it: the Optuna study is made anew, and nothing is trained again."""
    database = tmp_path / "optuna.db"
    run = Run(str(short_study(before=f'storage = "sqlite:///{database}"')), tmp_path / "run")
    run.finish("kill", undisturbed.moments() // 3)
    backup = database.read_bytes()
    code, said = run.finish()
    assert code == 0, said
    before = run.log.read_text().count("begins")
    database.unlink() if gone else database.write_bytes(backup)
    check(run, "its database older than the run folder, and gone", 1)
    assert run.log.read_text().count("begins") == before


@pytest.mark.faults
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system: for root only")
def test_a_temporary_folder_that_is_full(short, tmp_path, monkeypatch, check):
    """Ray cannot be: that is said before anything trains. Without Ray the run goes on."""
    place = Path(tempfile.mkdtemp(prefix="full-"))  # short enough for Ray's sockets
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        (place / "ballast").write_bytes(bytes(free(place)))
        monkeypatch.setenv("TMPDIR", str(place))
        run = Run(short, tmp_path / "run", workers=2)
        code, said = run.finish()
        assert (code, said.count("\n")) == (2, 1)
        assert f"autoprune: TMPDIR: '{place}' has 0 MiB left; expected 200 MiB" in said
        assert not run.folder.exists()
        run.workers = 0
        check(run, "the temporary folder full: refused with Ray, run without", 1)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


def free(place: Path) -> int:
    """Bytes that a file system has left."""
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


@pytest.mark.faults
@pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
def test_a_trials_file_cut(run, undisturbed, check, left):
    """Its measurement is gone: the trial runs again under its own number."""
    run.finish("kill", undisturbed.moments() // 2)
    file: Path = max(run.folder.glob("trials/*.parquet"))
    os.truncate(file, int(left * file.stat().st_size))
    del run.trained[file]
    check(run, "a trial's file cut", 1)


@pytest.fixture
def wicked(root, tmp_path) -> str:
    """A study whose trials raise, are no number, hang, or fill the memory."""
    text = (root / "tests" / "studies" / "short.toml").read_text(encoding="utf-8")
    space = (root / "tests" / "studies" / "short_space.toml").read_text(encoding="utf-8")
    (tmp_path / "short_space.toml").write_text(space, encoding="utf-8")
    code = Path(__file__).with_name("wicked.py").read_text(encoding="utf-8")
    (tmp_path / "wicked.py").write_text(code, encoding="utf-8")
    text = text.replace('"accuracy"', '"share"')
    tables = '\n[functions]\nevaluate = "wicked:share"\n'
    tables += "\n[compute]\ntrial_minutes = 0.3\nmemory_gib = 2.0\nretries = 1\n"
    file = tmp_path / "wicked.toml"
    file.write_text(text + tables, encoding="utf-8")
    return str(file)


@pytest.mark.faults
@pytest.mark.ray
def test_wicked_trials_and_a_driver_killed_among_them(wicked, tmp_path, check):
    quiet = Run(wicked, tmp_path / "quiet", workers=2)
    code, said = quiet.finish()
    assert code == 0, said
    causes = " ".join(o.cause for o in quiet.trials())
    assert len(set(causes.split())) > 1, "no trial was wicked"
    run = Run(wicked, tmp_path / "run", workers=2)
    driver = run.start()
    begun(run, 4, driver)
    others = psutil.Process(driver.pid).children(recursive=True)
    driver.kill()
    driver.communicate()
    end(others)
    run.remember()
    check(run, "trials that raise, hang, give NaN, fill the memory; driver killed", 1, like=quiet)
