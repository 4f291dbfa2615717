"""Whether a Ray of our own can keep its files and sockets where it would, before anything trains.

Ray says so after the parent was trained, in a traceback. Nothing of it is imported here.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from autoprune.errors import InputError

_SOCKET_BYTES = 107 if sys.platform.startswith("linux") else 103
"""The longest path of a socket that the system takes (``sun_path`` in unix(7), and its end)."""

_SESSION = "/ray/session_2026-01-01_00-00-00_000000_{}/sockets/plasma_store"
"""What Ray puts behind the folder; the number is this process's."""

_FREE_BYTES = 200 * 2**20
"""What its logs and its object store, of 200 MiB, may fill where /dev/shm is small."""


def check_place() -> None:
    """InputError where the folder is not there, is full, or its name is too long for sockets."""
    name = "RAY_TMPDIR" if "RAY_TMPDIR" in os.environ else "TMPDIR"
    place = os.environ.get(name) or "/tmp"
    left = _SOCKET_BYTES - len(_SESSION.format(os.getpid()))
    if len(os.fsencode(place)) > left:
        given = f"given {place!r}, too long a name for the sockets of Ray"
        raise InputError(name, given, f"at most {left} bytes, or --workers 0, which uses no Ray")
    if not Path(place).is_dir():
        raise InputError(name, f"given {place!r}", "a folder that is there")
    free = shutil.disk_usage(place).free
    if free < _FREE_BYTES:
        given = f"{place!r} has {free / 2**20:.0f} MiB left"
        raise InputError(name, given, f"{_FREE_BYTES / 2**20:.0f} MiB for the files of Ray")
