"""Watchdog: ends a worker whose job takes too long or too much memory, and leaves word why.

A worker that hangs inside a library, or that the system is about to kill, cannot report anything
itself. Word is left in files of the run folder, which the driver reads once the worker is gone.
One that is frozen cannot end itself either: see `autoprune.sweep.ray.overseer`.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import final

import psutil

from autoprune.errors import AutopruneError
from autoprune.files import GIB, MIB, read_bytes, read_json
from autoprune.trial.job import Failure
from autoprune.trial.key import TrialKey

_WORD = (".time", ".memory")
"""Endings of the files in which word is left."""

_WORD_BYTES = MIB
"""The most that is read of one; a stack of a hundred threads takes a tenth."""

_LOOK_S = 0.05
"""Memory is looked at this often."""

_LINES = 8
"""So many lines of a hanging job's stack are kept, the innermost ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one trial may take.

    Attributes:
        minutes: of time. memory_gib: of the worker's resident memory. None for any.
    """

    minutes: float | None = None
    memory_gib: float | None = None


ANYTHING = Allowance()
"""No limit."""


@final
class Watchdog:
    """Watches jobs in the worker, and reads in the driver what became of them.

    Args:
        folder: for what is left behind; driver and workers see it.
        allowance: of each job.
    """

    def __init__(self, folder: Path, allowance: Allowance) -> None:
        self._folder, self._allowance = folder, allowance

    def _time_file(self, key: TrialKey) -> Path:
        return self._folder / f"{key.stem}.time"

    def _memory_file(self, key: TrialKey) -> Path:
        return self._folder / f"{key.stem}.memory"

    @contextmanager
    def watching(self, key: TrialKey) -> Iterator[None]:
        """While this lasts, the process ends as soon as it exceeds the allowance."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(self._memory_watched(self._memory_file(key)))
            if self._allowance.minutes is not None:
                stack.enter_context(_time_watched(self._time_file(key), self._allowance.minutes))
            yield

    @contextmanager
    def _memory_watched(self, file: Path) -> Iterator[None]:
        done = Event()
        watcher = Thread(target=self._watch, args=(file, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            file.unlink(missing_ok=True)

    def _watch(self, file: Path, done: Event) -> None:
        """Note the most memory seen whenever it has grown by a tenth; end the process beyond it."""
        process, noted = psutil.Process(), 0.0
        limit = self._allowance.memory_gib
        while not done.wait(_LOOK_S):
            seen = process.memory_info().rss / GIB
            over = limit is not None and seen > limit
            if over or seen > 1.1 * noted:
                noted = seen
                file.write_text(json.dumps({"gib": seen, "over": over}), encoding="utf-8")
            if over:
                os._exit(1)

    def verdict(
        self, key: TrialKey, *, out_of_memory: bool = False, frozen: bool = False
    ) -> Failure:
        """Why the worker of a job is gone.

        Args:
            key: of the job.
            out_of_memory: whether Ray says that it ended the worker, its node being short of it.
            frozen: whether the driver has ended it, since it did not end itself in its time.
        """
        seen, over = _read_memory(self._memory_file(key))
        stack = _read_stack(self._time_file(key))
        for file in (self._memory_file(key), self._time_file(key)):
            file.unlink(missing_ok=True)
        if stack:
            minutes = self._allowance.minutes
            return Failure(kind="time", cause=f"longer than {minutes:g} minutes, in:\n{stack}")
        most = f"; the most memory seen was {seen:.2f} GiB" if seen else ""
        if over:
            limit = self._allowance.memory_gib
            return Failure(kind="memory", peak_gib=seen, cause=f"more than {limit:g} GiB{most}")
        if out_of_memory:
            cause = f"ended by Ray, its node being short of memory{most}"
            return Failure(kind="memory", peak_gib=seen, cause=cause)
        what = "stood still, and was ended" if frozen else "died: killed or crashed"
        return Failure(kind="died", cause=f"the process that ran it {what}{most}")


def leftovers(folder: Path) -> Iterator[Path]:
    """Word that workers have left in a folder and no driver has read, by its name."""
    for file in folder.glob("*"):
        if file.suffix in _WORD and TrialKey.named_by(file.stem):
            yield file


@contextmanager
def _time_watched(file: Path, minutes: float) -> Iterator[None]:
    """Ended by a thread of C, which needs no cooperation from what hangs."""
    with file.open("w", encoding="utf-8") as stream:
        faulthandler.dump_traceback_later(60 * minutes, exit=True, file=stream)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            file.unlink(missing_ok=True)


def _read_memory(file: Path) -> tuple[float, bool]:
    """The most memory seen in GiB, and whether that was too much."""
    try:
        found = read_json(file, _WORD_BYTES)
        gib, over = float(found["gib"]), bool(found["over"])
        return (gib, over) if math.isfinite(gib) else (0.0, False)
    except (AutopruneError, ArithmeticError, LookupError, TypeError, ValueError):
        return 0.0, False


def _read_stack(file: Path) -> str:
    """The end of the job's stack; empty where it did not hang."""
    try:
        text = read_bytes(file, _WORD_BYTES).decode("utf-8", "replace")
    except AutopruneError:
        return ""
    threads = [part for part in re.split(r"\n\n|^Timeout.*\n", text, flags=re.MULTILINE) if part]
    own = [part for part in threads if "run_trial" in part] or threads[-1:]
    # faulthandler has the innermost call first, a traceback has it last.
    lines = [line.strip() for line in "".join(own[:1]).splitlines() if line.startswith("  File")]
    return "\n".join(reversed(lines[:_LINES]))
