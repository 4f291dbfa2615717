"""Files that are there whole or not at all, and the folders of this user's cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from autoprune.errors import RecordError

PARTIAL = ".partial"
"""Ending of a file that is being written; what still has it after a crash is incomplete."""

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

    Raises RecordError where that is not possible: no room, no right; `file` is as it was.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}{PARTIAL}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
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
