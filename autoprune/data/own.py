"""A user's own data set: ``module:function`` that returns arrays."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoprune.data.dataset import About, Dataset, InMemory, Source, check_labels, held_out, thirds
from autoprune.data.spec import DataSpec
from autoprune.errors import InputError
from autoprune.plugin import call, load_named, parameters

OPTIONS: tuple[str, ...] = ()
_EXPECTED = (
    '(inputs, labels), or {"train": (inputs, labels), "test": (inputs, labels)}, inputs '
    "[n, C, H, W] or frames of events [n, T, 2, H, W]"
)


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`; it has to be read for that."""
    train, test = _parts(spec.name, root)
    labels = np.concatenate([part[1] for part in (train, test) if part is not None])
    shape = tuple(train[0].shape[1:])
    known = About(name=spec.name, classes=int(labels.max()) + 1, shape=shape)
    check_labels(known, labels, 1)
    return known


def load(spec: DataSpec, root: Path, seed: int) -> Dataset:
    """See `autoprune.data.load.NamedData.load`: thirds unless it has a test part of its own."""
    known = about(spec, root)
    train, test = _parts(spec.name, root)
    source = Source(about=known, store=InMemory(train[0]), labels=train[1])
    if test is None:
        return thirds(source, seed)
    other = Source(about=known, store=InMemory(test[0]), labels=test[1])
    return held_out(source, other.part(np.arange(len(test[1]))), spec.validation, seed)


Part = tuple[Tensor, Any]


@cache
def _parts(name: str, root: Path) -> tuple[Part, Part | None]:
    """Training samples, and test samples where there are any; the function is called once."""
    function = load_named(name, "data")
    takes = parameters(function, f"data {name}")
    given = call(function, f"data {name}", **({"root": root} if "root" in takes else {}))
    if isinstance(given, dict) and set(given) == {"train", "test"}:
        train, test = (_checked(name, given[part]) for part in ("train", "test"))
        if train[0].shape[1:] != test[0].shape[1:]:
            raise InputError(f"data {name}", "train and test differ in shape", _EXPECTED)
        return train, test
    return _checked(name, given), None


def _checked(name: str, given: Any) -> Part:
    if not (isinstance(given, tuple | list) and len(given) == 2):
        raise InputError(f"data {name}", f"returned {type(given).__name__}", _EXPECTED)
    try:
        inputs = torch.as_tensor(given[0]).float()
        labels = np.asarray(given[1])
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"data {name}", f"returned no arrays ({error})", _EXPECTED) from error
    if inputs.ndim not in (4, 5) or labels.shape != (len(inputs),):
        shapes = f"{list(inputs.shape)} and {list(labels.shape)}"
        raise InputError(f"data {name}", f"returned arrays of {shapes}", _EXPECTED)
    if not bool(torch.isfinite(inputs).all()):
        raise InputError(f"data {name}", "returned NaN or infinite inputs", "finite numbers")
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"data {name}", f"labels of type {labels.dtype}", "whole numbers from 0")
    return inputs, labels.astype(np.int64)
