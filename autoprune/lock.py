"""The lock of a run folder: one driver at a time writes to it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from autoprune.errors import RecordError


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """While this lasts, no other process on this machine writes to the run folder.

    The operating system lets go of the lock when its holder dies, however it dies.

    Raises RecordError naming the holder where there is one, or where the folder is not writable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / "run.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{folder}: cannot write there ({error.strerror})") from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            stream.seek(0)
            raise RecordError(f"{folder}: in use by {stream.read() or 'another run'}") from error
        stream.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"host": socket.gethostname(), "process": os.getpid(), "since": since}, stream)
        stream.flush()
        yield
