"""`autoprune ARGUMENTS` with a fault at a chosen moment of writing: a process of its own.

    python driver.py FAULT MOMENT LOG ARGUMENTS...

Moments are numbered through everything that is written: half a line of the Optuna journal, half a
file, before and after a rename. FAULT is ``kill`` (SIGKILL), ``full`` (no space left from then on)
or ``none``. LOG gets a line with the seed of every trial that begins, and at the end of a command
that ended by itself one with the number of moments.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from optuna.storages.journal import JournalFileBackend

import autoprune.sweep.worker
from autoprune.cli.main import main
from autoprune.files import PARTIAL

FAULT, MOMENT, LOG = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
passed = 0


def log(line: str) -> None:
    with LOG.open("a") as stream:
        stream.write(f"{line}\n")


def is_now() -> bool:
    global passed
    passed += 1
    return passed == MOMENT if FAULT == "kill" else FAULT == "full" and passed >= MOMENT


def strike() -> None:
    if FAULT == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def append_logs(self: JournalFileBackend, logs: list[dict[str, object]]) -> None:
    if is_now():
        line = json.dumps(logs[0])
        with open(self._file_path, "a") as stream:
            stream.write(line[: len(line) // 2])
        strike()
    real_append(self, logs)


def fsync(descriptor: int) -> None:
    name = os.readlink(f"/proc/self/fd/{descriptor}")
    if name.endswith(PARTIAL) and is_now():
        os.truncate(name, os.path.getsize(name) // 2)
        strike()
    real_fsync(descriptor)


def rename(self: Path, target: Path) -> Path:
    if is_now():
        strike()
    found = real_rename(self, target)
    if is_now():
        strike()
    return found


def run_trial(setup: Any, plan: Any, seed: int, **how: Any) -> Any:
    log(f"begins {seed}")
    return real_trial(setup, plan, seed, **how)


def put(owner: Any, name: str, own: Any) -> Any:
    """`own` in its place; what stood there."""
    found = getattr(owner, name)
    setattr(owner, name, own)
    return found


real_append = put(JournalFileBackend, "append_logs", append_logs)
real_fsync = put(os, "fsync", fsync)
real_rename = put(Path, "replace", rename)
real_trial = put(autoprune.sweep.worker, "run_trial", run_trial)

sys.argv = ["autoprune", *sys.argv[4:]]
try:
    main()
finally:
    log(f"moments {passed}")
