"""Files: read within bounds and by type, as they may be anybody's; written whole or not at all.

Nothing but the standard library is imported here: an exported network carries a copy.
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from autoprune.errors import FileError, InputError, RecordError, UnreadableError

T = TypeVar("T")
_LARGEST = 2**63

PARTIAL = ".partial"
"""Ending of a file that is being written; what still has it after a crash is incomplete."""

_HALF_WRITTEN = re.compile(rf".+\.[0-9a-f]{{16}}{re.escape(PARTIAL)}")

MIB = 2**20
"""Bytes in a MiB."""

GIB = 2**30
"""Bytes in a GiB."""

TEXT_BYTES = 16 * MIB
"""The largest file of text that is read; of brackets alone, JSON makes twenty times as much."""


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


def typed(value: T, *checked: type) -> T:
    """`value`, a dataclass out of a file, whose fields and theirs have the types that they declare.

    Numbers have to be finite, whole ones of 64 bits; a whole one is a float, too. Of the classes
    `checked`, which look after themselves, nothing inside is looked at. Raises TypeError with the
    field's name.
    """
    kind: Any = type(value)
    for field in fields(kind):
        found = getattr(value, field.name)
        if not _fits(found, _hints(kind)[field.name], checked):
            raise TypeError(f"{kind.__name__}.{field.name} is {found!r:.40}")
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: object, kind: Any, checked: tuple[type, ...]) -> bool:
    if kind is Any:
        return True
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(value, one, checked) for one in inner)
    if origin is Literal:
        return isinstance(value, str) and value in inner
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = inner[:1] * len(value) if inner[-1] is ... else inner
        same = len(value) == len(kinds)
        return same and all(_fits(v, k, checked) for v, k in zip(value, kinds, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        key, item = inner
        return isinstance(value, Mapping) and all(
            _fits(k, key, checked) and _fits(v, item, checked) for k, v in value.items()
        )
    return _is(value, kind, checked)


def _is(value: object, kind: Any, checked: tuple[type, ...]) -> bool:
    if kind in (int, float) and type(value) is int:
        return -_LARGEST <= value < _LARGEST
    if kind is float:
        return type(value) is float and math.isfinite(value)
    if kind in (int, bool):
        return type(value) is kind
    if kind is None:
        return value is None
    if not isinstance(value, kind):
        return False
    if is_dataclass(value) and not isinstance(value, type) and kind not in checked:
        typed(value, *checked)
    return True
