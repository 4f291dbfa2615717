"""Read a NIR file, which may be anybody's: within bounds, and nothing but what is in it.

HDF5 can point to other files, hold a link to itself, and say in a few bytes that a tensor takes
terabytes; such files are refused before anything of them is read into memory.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from autoprune.errors import FileError
from autoprune.files import GIB, MIB

MOST_BYTES = 4 * GIB
"""Bytes of a file, and of all its tensors together; the largest published spiking transformers have
0.7 GiB of weights."""

_SMALL, _GROWTH = 256 * MIB, 64
"""Bytes that the tensors of any file may have, and how many times as many as a larger file: those
of a network that is pruned to 2 % are packed fifty times as small."""

_ENTRIES = 1_000_000
_DEPTH = 32
_VERSION = re.compile(r"[01](\.\d+)*([-+.]?[0-9a-z]+)*")


def read_tree(file: Path) -> dict[str, Any]:
    """What stands under ``node`` of a NIR file: groups as dicts, texts, numbers and arrays.

    Raises FileError where it is no NIR file of version 0 or 1, or larger than `MOST_BYTES`.
    """
    where = str(file)
    try:
        found = file.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(where, f"not readable ({reason})") from error
    if not stat.S_ISREG(found.st_mode):
        raise FileError(where, "no regular file")
    if found.st_size > MOST_BYTES:
        raise FileError(where, f"larger than {MOST_BYTES // GIB} GiB")
    try:
        with h5py.File(file, "r") as opened:
            most = min(MOST_BYTES, max(_SMALL, _GROWTH * found.st_size))
            tree = _Reader(where, most).group(opened, 0)
    except FileError:
        raise
    except Exception as error:  # h5py raises errors of many kinds
        raise FileError(where, f"no NIR file ({error})") from error
    version = tree.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        given = "no version" if version is None else f"version {version!r:.40}"
        raise FileError(where, given, "a NIR file of version 0 or 1")
    node = tree.get("node")
    if not isinstance(node, dict):
        raise FileError(where, "holds no graph under 'node'")
    return node


@final
class _Reader:
    """Reads groups, and keeps account of how much that was."""

    def __init__(self, where: str, most: int) -> None:
        self.where, self.most = where, most
        self.bytes = self.entries = 0

    def group(self, group: Any, depth: int) -> dict[str, Any]:
        if depth > _DEPTH:
            raise FileError(self.where, f"groups nested more than {_DEPTH} deep")
        found: dict[str, Any] = {}
        for name in group:
            self.entries += 1
            if self.entries > _ENTRIES:
                raise FileError(self.where, f"more than {_ENTRIES} entries")
            path = f"{group.name}/{name}".replace("//", "/")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise FileError(self.where, f"{path} is a link, which is not followed")
            item = group[name]
            is_group = isinstance(item, h5py.Group)
            found[name] = self.group(item, depth + 1) if is_group else self.value(item, path)
        return found

    def value(self, item: Any, path: str) -> Any:
        if not isinstance(item, h5py.Dataset):
            raise FileError(self.where, f"{path} is no tensor")
        if item.is_virtual or item.external:
            raise FileError(self.where, f"{path} lies in another file, which is not read")
        self.bytes += item.size * item.dtype.itemsize if item.size else 0
        if self.bytes > self.most:
            raise FileError(self.where, f"tensors of more than {self.most // MIB} MiB ({path})")
        value = item[()]
        if isinstance(value, bytes):
            return value.decode("utf-8")
        if isinstance(value, np.ndarray) and value.dtype == object:
            return [[text.decode("utf-8") for text in row] for row in np.atleast_2d(value)]
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
            return value
        raise FileError(self.where, f"{path} holds {type(value).__name__}; expected numbers")
