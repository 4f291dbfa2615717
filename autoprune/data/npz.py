"""Inputs out of a file of NumPy's, .npz, in which nothing is pickled."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from autoprune.errors import FileError, InputError
from autoprune.files import GIB

_MOST: Final = GIB
"""Bytes of the inputs, unpacked; as real numbers they have up to four times as many."""

_WRONG: Final = (
    *(EOFError, LookupError, MemoryError, NotImplementedError, OSError, RuntimeError),
    *(SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
"""What a file that is no archive of arrays makes its readers raise."""

_ARRAY: Final = "inputs"


def read_inputs(file: Path) -> Tensor:
    """The one array of the file, or the one called ``inputs``: [samples, ...] as float32.

    Raises FileError where the file cannot be read or is too large, and InputError where it holds
    none, several, or no finite numbers.
    """
    where = str(file)
    if not file.is_file():
        raise FileError(where, "no such file" if not file.exists() else "no regular file")
    try:
        with zipfile.ZipFile(file) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > _MOST:
                raise FileError(where, f"larger than {_MOST // GIB} GiB")
        with np.load(file, allow_pickle=False) as arrays:
            names = list(arrays)
            name = _ARRAY if _ARRAY in names else names[0] if len(names) == 1 else ""
            if not name:
                raise InputError(where, f"arrays {', '.join(names)}", f"one called {_ARRAY!r}")
            values = arrays[name]
    except _WRONG as error:
        raise FileError(where, f"no .npz of numbers ({error})") from error
    if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
        raise InputError(where, f"{name} holds no finite numbers")
    return torch.as_tensor(values, dtype=torch.float32)
