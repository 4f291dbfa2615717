"""The lock of a run folder: one driver at a time writes to it.

Two things keep a second one away. The operating system's lock on ``run.lock`` ends with its holder,
however that dies; some shared file systems keep it to one host, or have none. Hence the file also
names its holder until that lets go of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, final

import psutil

from autoprune.errors import RecordError
from autoprune.files import read_bytes, typed
from autoprune.runs.links import refuse_links

_LOCK_BYTES = 2**16
"""So much of a lock's file is read; who holds it takes a hundredth."""

_LAST_PROCESS = 2**31 - 1
"""The largest number that a process can have (``pid_t`` in types.h(7))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a run folder.

    Attributes:
        host, process: where it runs, as what. since: in UTC.
        boot: of the kernel, the same in all containers of a machine; empty where it is not known.
    """

    host: str
    process: int
    since: str
    boot: str

    @classmethod
    def here(cls) -> Holder:
        """The holder that this process would be, as of now."""
        now = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
        boot = Path("/proc/sys/kernel/random/boot_id")
        return cls(
            host=socket.gethostname(),
            process=os.getpid(),
            since=now,
            boot=boot.read_text().strip() if boot.is_file() else "",
        )

    @classmethod
    def named_in(cls, text: str) -> Holder | None:
        """The holder that a lock's file names; None where it names none that we can read."""
        try:
            found = typed(cls(**json.loads(text)))
            datetime.fromisoformat(found.since)
        except (TypeError, ValueError, RecursionError):
            return None
        return found if 0 < found.process <= _LAST_PROCESS else None

    def is_near(self, other: Holder) -> bool:
        """Whether both run under one kernel, or under one that was started again."""
        return self.host == other.host or (self.boot != "" and self.boot == other.boot)

    @property
    def lives(self) -> bool | None:
        """Whether its process is there; None where that cannot be told from this host."""
        if self.host != socket.gethostname():
            return None
        return self.boot == Holder.here().boot and psutil.pid_exists(self.process)

    def __str__(self) -> str:
        """Where it runs."""
        return f"process {self.process} on host {self.host}, since {self.since}"


@final
class Hold:
    """What the one writer of a run folder has in hand.

    Args:
        file: the lock's. text: what the holder wrote there.
    """

    def __init__(self, file: Path, text: str) -> None:
        self.file, self._text = file, text

    @property
    def lasts(self) -> bool:
        """Whether the file still names this holder; it is opened anew, as shared storage asks."""
        try:
            return self.file.read_text(encoding="utf-8") == self._text
        except FileNotFoundError:
            return False

    def check(self) -> None:
        """RecordError once another process has taken the folder over: then nothing is written."""
        if not self.lasts:
            raise RecordError(
                f"{self.file}: no longer names this process; another has taken the run over, and "
                "goes on with what was recorded"
            )


def holder(folder: Path) -> Holder | None:
    """Who the lock's file names, without touching the lock; None where nobody writes.

    One that was killed is still named: see `Holder.lives`.
    """
    file = folder / "run.lock"
    if not file.is_file():
        return None
    return Holder.named_in(read_bytes(file, _LOCK_BYTES).decode("utf-8", "replace"))


@contextmanager
def sole_writer(folder: Path) -> Iterator[Hold]:
    """While this lasts, no other process writes to the run folder, on this host or another.

    Raises RecordError where another holds it, with who it is and how to take over from it once it
    is dead; where the folder is not writable, or a link in it leads elsewhere.
    """
    file, me = folder / "run.lock", Holder.here()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        refuse_links(folder)
        stream = _opened(file, me)
    except OSError as error:
        raise RecordError(f"{folder}: cannot write there ({error.strerror})") from error
    with stream:
        hold = Hold(file, _sign(stream, json.dumps(asdict(me)), folder))
        try:
            yield hold
        finally:
            if hold.lasts:
                stream.truncate(0)


def _opened(file: Path, me: Holder) -> IO[str]:
    """The lock's file, locked as far as its file system can, and signed by nobody who may live."""
    stream = file.open("a+", encoding="utf-8", errors="replace")
    try:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            locked = True
        except BlockingIOError as error:
            raise RecordError(_refusal(file, _content(stream), me, locked=True)) from error
        except OSError:  # a file system without such locks
            locked = False
        text = _content(stream)
        named = Holder.named_in(text)
        ended = locked and named is not None and named.is_near(me)
        if text and not ended:
            raise RecordError(_refusal(file, text, me, locked=False))
        if not (file.exists() and os.path.samestat(file.stat(), os.fstat(stream.fileno()))):
            raise RecordError(f"{file}: deleted this moment, by another process that takes over")
    except BaseException:
        stream.close()
        raise
    return stream


def _content(stream: IO[str]) -> str:
    stream.seek(0)
    return stream.read(_LOCK_BYTES)


def _sign(stream: IO[str], text: str, folder: Path) -> str:
    """Name the holder in the lock's file, on the disk; returns what was written."""
    try:
        stream.truncate(0)
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    except OSError as error:
        raise RecordError(f"{folder}: cannot write there ({error.strerror})") from error
    return text


def _refusal(file: Path, text: str, me: Holder, *, locked: bool) -> str:
    """Who holds the folder, whether it lives, and what to do when it does not.

    `locked` says that the operating system knows of a lock.
    """
    named = Holder.named_in(text)
    said = f"{file.parent}: in use by {named or 'a process that did not leave its name'}. "
    if named is not None and locked and named.is_near(me):
        return f"{said}It is running: wait for it, or end it (kill {named.process})"
    where = f"on {named.host} (ps -p {named.process})" if named else "for one"
    return (
        f"{said}From here one cannot tell whether it still runs: look {where}. If it does not, "
        f"take over: delete {file} and run this again"
    )
