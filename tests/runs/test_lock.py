"""One writer of a run folder: who is refused, what is said, and how to take over from the dead."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from autoprune.errors import RecordError
from autoprune.runs.lock import holder, sole_writer

HOLD = """
import sys, time
from pathlib import Path
from autoprune.runs.lock import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def other(folder):
    """Another process on this host that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def enter(folder: Path) -> None:
    with sole_writer(folder):
        pass


def sign(folder: Path, **changes: object) -> None:
    """Leave the name of a holder on another host, as it looks on shared storage."""
    holder = {"host": "far", "process": 4711, "since": "2026-11-27 00:10:00+00:00", "boot": "b"}
    folder.mkdir()
    (folder / "run.lock").write_text(json.dumps(holder | changes), encoding="utf-8")


def test_one_after_the_other(folder):
    enter(folder)
    assert (folder / "run.lock").read_text() == ""
    enter(folder)


def test_a_second_one_is_told_who_holds_it_since_when_and_that_it_runs(folder, other):
    said = (
        rf"run: in use by process {other.pid} on host {socket.gethostname()}, since 20\d\d-.*\. "
        rf"It is running: wait for it, or end it \(kill {other.pid}\)"
    )
    with pytest.raises(RecordError, match=said):
        enter(folder)


def test_a_killed_one_on_this_host_holds_nothing(folder, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert str(other.pid) in (folder / "run.lock").read_text()
    enter(folder)


FAR = (
    r"in use by process 4711 on host far, since 2026-11-27 00:10:00\+00:00\. From here one cannot "
    r"tell whether it still runs: look on far \(ps -p 4711\)\. If it does not, take over: delete "
    r".*run/run\.lock and run this again"
)


def test_one_on_another_host_is_believed_where_locks_do_not_reach(folder):
    sign(folder)
    with pytest.raises(RecordError, match=FAR):
        enter(folder)
    (folder / "run.lock").unlink()
    enter(folder)


def test_one_on_another_host_whose_lock_outlives_it(folder):
    """A server that holds the lock of a dead client: deleting the file helps here, too."""
    sign(folder)
    with (folder / "run.lock").open("a+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(RecordError, match=FAR):
            enter(folder)
        (folder / "run.lock").unlink()
        enter(folder)


def test_a_container_that_is_gone_is_known_by_the_kernel(folder):
    sign(folder, boot=Path("/proc/sys/kernel/random/boot_id").read_text().strip())
    enter(folder)


def test_this_host_started_again_holds_nothing(folder):
    sign(folder, host=socket.gethostname())
    enter(folder)


def test_a_file_system_without_locks(folder, monkeypatch):
    def none(*given):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", none)
    enter(folder)
    with sole_writer(folder), pytest.raises(RecordError, match=r"cannot tell.*run\.lock"):
        enter(folder)


@pytest.mark.parametrize("process", [None, 2**31, -1])
def test_a_name_that_cannot_be_read(folder, process):
    if process is None:
        folder.mkdir()
        (folder / "run.lock").write_text('{"host": ')
    else:  # no system knows such a number
        sign(folder, process=process)
        assert holder(folder) is None
    with pytest.raises(RecordError, match=r"did not leave its name.*delete .*run\.lock"):
        enter(folder)


def test_whoever_was_taken_for_dead_notices_and_leaves_the_new_name_alone(folder):
    with sole_writer(folder) as first:
        first.check()
        (folder / "run.lock").unlink()
        with pytest.raises(RecordError, match=r"run\.lock: no longer names this process"):
            first.check()
        sign_of = folder / "run.lock"
        sign_of.write_text("another's")
        with pytest.raises(RecordError, match="another has taken the run over"):
            first.check()
    assert sign_of.read_text() == "another's"


def test_the_name_of_another_who_signed_the_same_file_stays(folder):
    """Two that signed at once where locks do not reach: the last one holds it."""
    with sole_writer(folder) as first:
        (folder / "run.lock").write_text("another's")
        with pytest.raises(RecordError, match="another has taken the run over"):
            first.check()
    assert (folder / "run.lock").read_text() == "another's"


def test_a_deleted_lock_is_no_lock(folder, monkeypatch):
    """The file is deleted by a third one between opening and locking it."""
    real = fcntl.flock

    def deleted(stream, how):
        real(stream, how)
        os.unlink(folder / "run.lock")

    monkeypatch.setattr("fcntl.flock", deleted)
    with pytest.raises(RecordError, match="deleted this moment"):
        enter(folder)


def test_a_full_disk(folder, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RecordError, match=r"cannot write there \(No space left"):
        enter(folder)
