"""Files that are there whole or not at all, and the folders of this user's cache."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from autoprune.errors import RecordError

PARTIAL = ".partial"
"""Ending of a file that is being written; what still has it after a crash is incomplete."""

_HALF_WRITTEN = re.compile(rf".+\.[0-9a-f]{{16}}{re.escape(PARTIAL)}")

GIB = 2**30
"""Bytes in a GiB."""


def cache_folder() -> Path:
    """The folder of what can be made again, such as parents: AUTOPRUNE_CACHE, else the user's."""
    return Path(os.environ.get("AUTOPRUNE_CACHE") or user_cache_path("autoprune"))


def data_folder() -> Path:
    """The folder of data sets' files: AUTOPRUNE_DATA, else one in the user's cache."""
    return Path(os.environ.get("AUTOPRUNE_DATA") or user_cache_path("autoprune") / "data")


def write_atomically(file: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `file`, sync it, and rename it to `file`.

    The temporary file is new, under a name that nobody could know: no link waits there. Raises
    RecordError where it is not possible: no room, no right, or `file` is no regular file, such as
    a device; it is as it was.
    """
    part = file.with_name(f"{file.name}.{secrets.token_hex(8)}{PARTIAL}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(file) and not stat.S_ISREG(file.lstat().st_mode):
            raise RecordError(f"{file}: no regular file, and not replaced by one")
        part.touch(exist_ok=False)
    except OSError as error:
        raise RecordError(f"{file}: cannot be written ({error.strerror})") from error
    try:
        write(part)
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(file)
        _sync_folder(file.parent)
    except OSError as error:
        with suppress(OSError):  # the folder may not even be one
            part.unlink()
        reason = error.strerror or error
        raise RecordError(f"{file}: cannot be written ({reason})") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def half_written(folder: Path) -> Iterator[Path]:
    """What writers that died have left anywhere in `folder`."""
    for file in folder.rglob(f"*{PARTIAL}"):
        if _HALF_WRITTEN.fullmatch(file.name) and file.is_file():
            yield file


def write_text(file: Path, text: str) -> None:
    """`write_atomically` for text in UTF-8."""
    write_atomically(file, lambda part: part.write_text(text, encoding="utf-8"))


def _sync_folder(folder: Path) -> None:
    """Let the rename itself survive a power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
