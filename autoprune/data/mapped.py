"""Arrays that are written once per computer and mapped by every process afterwards."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoprune.data.dataset import MemoryMap
from autoprune.data.folders import cache_folder
from autoprune.files import write_atomically

Arrays = tuple[NDArray[Any], NDArray[np.int64]]


def mapped(name: str, made_of: str, make: Callable[[], Arrays]) -> tuple[MemoryMap, Any]:
    """Samples and labels out of the user's cache, or made and put there.

    Args:
        name: of the data set, the beginning of the file names.
        made_of: everything that decides what `make` gives: settings, folder, time of change.
        make: gives samples [n, ...] and labels [n].
    """
    folder = cache_folder() / "data"
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    samples, labels = (folder / f"{name}-{key}-{what}.npy" for what in ("samples", "labels"))
    damaged = ""
    if samples.is_file() and labels.is_file():
        try:
            return MemoryMap(samples), np.load(labels)
        except (EOFError, ValueError) as error:
            damaged = f" again, since what was kept is damaged ({error})"
    print(f"Reading {name} once{damaged}; it is kept in {folder}.", file=sys.stderr)  # noqa: T201
    for file, array in zip((samples, labels), make(), strict=True):
        write_atomically(file, partial(_save, array))
    return MemoryMap(samples), np.load(labels)


def _save(array: NDArray[Any], part: Path) -> None:
    with part.open("wb") as stream:  # numpy would add an ending to a path
        np.save(stream, array)
