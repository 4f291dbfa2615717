"""Exports that are being made: each is noted in its run, so that what a killed one leaves is found.

exports/TOKEN.json      where it is made; locked by who makes it, so that it is known who died
"""

from __future__ import annotations

import fcntl
import json
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from autoprune.errors import AutopruneError
from autoprune.files import PARTIAL, read_json, write_text
from autoprune.runs.folder import RunFolder

_NOTED = re.compile(r"[0-9a-f]{16}\.json")
_BYTES = 2**16


@contextmanager
def being_made(run: RunFolder, place: Path, name: str) -> Iterator[Path]:
    """While this lasts, a folder in `place` to make an export in that will have that name.

    It is removed at the end, unless it was renamed; where this process is killed, it is found by
    `left`. A run that cannot be written, such as somebody else's, has no note of it.
    """
    token = secrets.token_hex(8)
    part, note = place / f".{name}.{token}{PARTIAL}", run.exports / f"{token}.json"
    with suppress(AutopruneError):
        write_text(note, json.dumps({"folder": str(part)}))
    held = note.open("rb") if note.is_file() else None
    try:
        if held is not None:
            with suppress(OSError):  # a file system without locks: then it is nobody's to remove
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.mkdir()
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        _forget(note)
        if held is not None:
            held.close()


def left(run: RunFolder) -> list[tuple[Path, Path]]:
    """What killed exports have left: note and folder of each.

    A note may be another's: no folder but a half-made export is called as it says.
    """
    found = []
    for note in sorted(run.exports.glob("*.json")):
        if not _NOTED.fullmatch(note.name):
            continue
        try:
            with note.open("rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                part = Path(read_json(note, _BYTES)["folder"])
        except (AutopruneError, LookupError, OSError, TypeError):
            continue  # it is being made, or is no note
        if re.fullmatch(rf"\..+\.{note.stem}{re.escape(PARTIAL)}", part.name):
            found.append((note, part))
    return found


def size(part: Path) -> int:
    """Bytes of a half-made export."""
    files = part.rglob("*") if _is_folder(part) else ()
    return sum(file.lstat().st_size for file in files if file.is_file())


def remove(note: Path, part: Path) -> None:
    """Remove a half-made export and its note."""
    if _is_folder(part):
        shutil.rmtree(part)
    _forget(note)


def _is_folder(part: Path) -> bool:
    return part.is_dir() and not part.is_symlink()


def _forget(note: Path) -> None:
    with suppress(OSError):
        note.unlink()
        note.parent.rmdir()  # unless there are others
