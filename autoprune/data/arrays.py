"""Inputs and labels of a user's: arrays, tensors, lists or a torch data set, as checked arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from autoprune.data.dataset import over
from autoprune.errors import InputError

EXPECTED: Final = (
    '(inputs, labels) or a torch Dataset, or {"train": one of them, "test": ..., "validation": '
    "...}, inputs [n, C, H, W], frames of events [n, T, 2, H, W] or sequences [n, T, F], "
    "labels [n], or [n, ...] for functions.train and functions.evaluate"
)
_KEPT: Final = (torch.uint8, torch.int8, torch.int16, torch.float16, torch.float32)
"""Types in which samples stay until a batch is made of them; others become float32."""
_AXES: Final = (3, 4, 5)
_CHUNK: Final = 1024
"""Samples that are checked at a time, so that checking takes no memory worth mentioning."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """Checked samples.

    Attributes:
        inputs: [n, ...] as they were given, bytes as bytes.
        labels: [n], int64; or [n, ...], int64 or float32.
    """

    inputs: Tensor
    labels: NDArray[Any]


def arrays(given: Any, where: str) -> Arrays:
    """What a user's function returned for all samples or for a part.

    Raises InputError, at `where`, for what is neither a pair nor a data set with a length, for
    inputs of another number than labels, of no shape of ours, or not finite, and for labels that
    are no whole numbers.
    """
    pair = isinstance(given, tuple | list)
    if not pair and hasattr(given, "__getitem__") and hasattr(given, "__len__"):
        given, pair = _items(given, where), True
    if not pair or len(given) != 2:
        what = f"{len(given)} values" if pair else type(given).__name__
        raise InputError(where, f"returned {what}", EXPECTED)
    try:
        inputs, labels = _tensor(given[0]), _array(given[1])
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(where, f"returned no arrays ({error})", EXPECTED) from error
    if inputs.ndim not in _AXES or labels.shape[:1] != (len(inputs),) or not len(inputs):
        shapes = f"{list(inputs.shape)} and {list(labels.shape)}"
        raise InputError(where, f"returned arrays of {shapes}", EXPECTED)
    if not all(bool(torch.isfinite(some).all()) for some in inputs.split(_CHUNK)):
        raise InputError(where, "returned NaN or infinite inputs", "finite numbers")
    if labels.dtype.kind in "bui":
        return Arrays(inputs, labels.astype(np.int64))
    if labels.ndim == 1 or labels.dtype.kind != "f":
        raise InputError(where, f"labels of type {labels.dtype}", "whole numbers from 0")
    return Arrays(inputs, labels.astype(np.float32))


def _items(given: Any, where: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """All samples of a torch data set, each read once, into one array."""
    number, labels = len(given), []
    inputs = np.empty(0)
    for index in range(number):
        try:
            sample, label = given[index]
            value = _sample(sample)
            if not index:
                inputs = np.empty((number, *value.shape), dtype=value.dtype)
            elif value.shape != inputs.shape[1:]:
                raise ValueError(f"{list(value.shape)} after {list(inputs.shape[1:])}")
            inputs[index] = value
            labels.append(_array(label))
        except Exception as error:
            said = f"sample {index} of {number} ({type(error).__name__}: {error})"
            raise InputError(where, said, "pairs of an input and its label, all alike") from error
    return inputs, np.array(labels)


def _sample(given: Any) -> NDArray[Any]:
    """One input; an image of PIL's as bytes [C, H, W]."""
    from PIL.Image import Image

    if isinstance(given, Image):
        pixels = np.asarray(given)
        return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return _array(given)


def _array(given: Any) -> NDArray[Any]:
    if isinstance(given, Tensor):
        return given.detach().cpu().numpy()
    return np.asarray(given)


def _tensor(given: Any) -> Tensor:
    """The inputs in a type of `_KEPT`, without a copy where they have one."""
    tensor = isinstance(given, Tensor)
    found = given.detach().cpu() if tensor else over(_plain(np.asarray(given)))
    if found.dtype == torch.bool:
        return found.view(torch.uint8).contiguous()
    return found.contiguous() if found.dtype in _KEPT else found.float()


def _plain(given: NDArray[Any]) -> NDArray[Any]:
    """An array that torch takes: of a type that it has, in steps forward."""
    kind, size = given.dtype.kind, given.dtype.itemsize
    if kind not in "buif":
        raise TypeError(f"numbers of type {given.dtype}")
    strange = size > np.dtype(np.float64).itemsize or (kind == "u" and size > 1)
    return np.ascontiguousarray(given, np.float32 if strange else given.dtype.newbyteorder("="))
