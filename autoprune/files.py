"""Files: read within bounds, since they may be anybody's, and written whole or not at all.

Nothing but the standard library is imported here: an exported network carries a copy.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from autoprune.errors import FileError, InputError, RecordError, UnreadableError

PARTIAL = ".partial"
"""Ending of a file that is being written; what still has it after a crash is incomplete."""

_HALF_WRITTEN = re.compile(rf".+\.[0-9a-f]{{16}}{re.escape(PARTIAL)}")

MIB = 2**20
"""Bytes in a MiB."""

GIB = 2**30
"""Bytes in a GiB."""

TEXT_BYTES = 64 * MIB
"""The largest file of text that is read: a journal of 3000 trials takes a sixth of it."""


def read_bytes(file: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes.

    What is no such file is not waited for, as a pipe would have it, and not read to an end that a
    device has not. Raises FileError for that, and UnreadableError where the system refuses.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as stream:  # closes it, too
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileError(str(file), "no regular file")
            content = stream.read(most + 1)
    except FileNotFoundError as error:
        raise FileError(str(file), "no such file") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise UnreadableError(str(file), f"not readable ({reason})") from error
    if len(content) > most:
        raise FileError(str(file), f"larger than {most / MIB:.3g} MiB")
    return content


def read_text(file: Path, most: int = TEXT_BYTES) -> str:
    """The text of a file in UTF-8, a byte order mark left out; raises what `read_bytes` does."""
    try:
        return read_bytes(file, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(str(file), f"not UTF-8 (byte {error.start})") from error


def read_json(file: Path, most: int = TEXT_BYTES) -> Any:
    """The values of a JSON file; FileError where it is none, or nested too deeply to be ours."""
    return parse_json(read_text(file, most), str(file))


def parse_json(text: str, where: str) -> Any:
    """The values of a JSON text; FileError, at `where`, as `read_json` has it."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise FileError(where, "damaged (nested too deeply)") from error
    except ValueError as error:  # an integer of more than 4300 digits is one, too
        raise FileError(where, f"damaged ({error})") from error


def user_path(text: str, where: str) -> Path:
    """A path that a user wrote, ``~`` resolved; InputError, at `where`, where nobody is called so.

    An empty one is refused: it would mean the current folder.
    """
    if not text or "\0" in text:
        raise InputError(where, f"given {text!r}", "a path")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(where, f"given {text!r}: {error}", "the home of a user") from error


def write_atomically(file: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `file`, sync it, and rename it to `file`.

    The temporary file is new, under a name that nobody could know: no link waits there. Raises
    RecordError where it is not possible: no room, no right, or `file` is no regular file, such as
    a device; it is as it was.
    """
    refuse_irregular(file)
    part = file.with_name(f"{file.name}.{secrets.token_hex(8)}{PARTIAL}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
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


def refuse_irregular(file: Path) -> None:
    """RecordError unless a file can be put there: where nothing is, or a regular file."""
    try:
        if not os.path.lexists(file) or stat.S_ISREG(file.lstat().st_mode):
            return
    except OSError as error:
        raise RecordError(f"{file}: cannot be written ({error.strerror})") from error
    raise RecordError(f"{file}: no regular file, and not replaced by one")


def half_written(folder: Path) -> Iterator[Path]:
    """What writers that died have left anywhere in `folder`."""
    for file in folder.rglob(f"*{PARTIAL}"):
        if is_half_written(file):
            yield file


def is_half_written(file: Path) -> bool:
    """Whether it is the temporary file of a writer that died."""
    return _HALF_WRITTEN.fullmatch(file.name) is not None and file.is_file()


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
