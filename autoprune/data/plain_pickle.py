"""A pickle of numbers, texts and containers that may be anybody's: nothing that it names is called.

An array of numpy's is kept as it was written: its bytes are read when they are asked for, and numpy
is never handed a state that it would have to believe.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from autoprune.files import read_bytes


@final
class Stored:
    """What a pickle holds of an array, or of the type of its numbers: what made it, and its state.

    Attributes:
        made_of: arguments of what numpy would call. state: what it would set.
    """

    def __init__(self, *made_of: object) -> None:
        self.made_of = made_of
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state

    def as_bytes(self) -> NDArray[np.uint8]:
        """The numbers [n] of an array of bytes, row by row; ValueError where it is no such."""
        match self.state:
            case (
                _,
                tuple(),
                Stored(made_of=("u1" | "|u1", *_)),
                False | 0,
                bytes() | str() as held,
            ):
                text = held.encode("latin1") if isinstance(held, str) else held  # of Python 2
                return np.frombuffer(text, dtype=np.uint8)
        raise ValueError("no array of bytes")


def read_plain(file: Path, most: int) -> Any:
    """What a pickle of at most `most` bytes holds, texts of Python 2 as Latin 1.

    Raises what `read_bytes` does, and UnpicklingError or ValueError where it names anything but an
    array, or is no pickle.
    """
    content = read_bytes(file, most)
    _refuse_far_memos(content)
    return _Plain(io.BytesIO(content), encoding="latin1").load()


def _refuse_far_memos(content: bytes) -> None:
    """UnpicklingError where a value gets a number that no pickler gives: room is made up to it."""
    for values, (code, number, _) in enumerate(pickletools.genops(content)):
        if code.name in ("PUT", "BINPUT", "LONG_BINPUT") and (number or 0) > values:
            raise pickle.UnpicklingError(f"its value {values} has the number {number}")


@final
class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype"):
            return Stored
        if (module, name) == ("_codecs", "encode"):  # bytes, as Python 3 writes them for Python 2
            return _latin1
        raise pickle.UnpicklingError(f"names {module}.{name}, and to make that runs code")


def _latin1(text: str, encoding: str) -> bytes:
    return text.encode("latin1")
