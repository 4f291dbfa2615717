"""A user's own data set: what ``module:function`` returns, read once and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from autoprune.data.arrays import EXPECTED, Arrays, arrays
from autoprune.data.dataset import About, InMemory, Source, Sources
from autoprune.data.spec import OPTIONAL, DataSpec
from autoprune.data.split import check_labels
from autoprune.errors import InputError
from autoprune.plugin import call, load_named, parameters


def about(spec: DataSpec, root: Path) -> About:
    """See `autoprune.data.load.NamedData`; it has to be read for that."""
    parts = _read(spec, root)
    labels = np.concatenate([part.labels for part in parts.values()])
    known = About(
        name=spec.name,
        classes=int(labels.max()) + 1 if labels.dtype == np.int64 else labels.shape[1],
        shape=tuple(parts["train"].inputs.shape[1:]),
        label_shape=labels.shape[1:],
    )
    check_labels(known, labels, 1)
    return known


def load(spec: DataSpec, root: Path) -> Sources:
    """See `autoprune.data.load.NamedData.load`."""
    known = about(spec, root)
    found = {
        part: Source(about=known, store=InMemory(held.inputs), labels=held.labels)
        for part, held in _read(spec, root).items()
    }
    return Sources(**found, share=0.1 if "test" in found else 0.2)


def _read(spec: DataSpec, root: Path) -> Mapping[str, Arrays]:
    """What the function returned, by part; it is called once."""
    offered = {key: getattr(spec, key) for key in OPTIONAL}
    given = spec.arguments | {key: value for key, value in offered.items() if value is not None}
    try:
        return _parts(spec.name, root, json.dumps(given, sort_keys=True))
    except TypeError as error:
        raise InputError(f"data {spec.name}", f"{error}", "arguments that JSON holds") from error


@cache
def _parts(name: str, root: Path, given: str) -> Mapping[str, Arrays]:
    """The function is called with the arguments in `given`, which is JSON."""
    where, arguments = f"data {name}", json.loads(given)
    function = load_named(name, "data")
    takes = parameters(function, where)
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values())
    for key in arguments:
        if key not in takes and not open_ended:
            raise InputError(where, f"it takes no {key!r}", name=key, candidates=takes)
    if "root" in takes:
        arguments["root"] = root
    for key, parameter in takes.items():
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        if named and parameter.default is parameter.empty and key not in arguments:
            raise InputError(where, f"argument {key!r} is missing", "it in the table [data]")
    returned = call(function, where, **arguments)
    if not isinstance(returned, Mapping):
        return {"train": arrays(returned, where)}
    if "train" not in returned or not set(returned) <= {"train", "validation", "test"}:
        raise InputError(where, f"returned parts {', '.join(map(str, returned))}", EXPECTED)
    found = {part: arrays(held, f"{where}: {part}") for part, held in returned.items()}
    for what in ("inputs", "labels"):
        shapes = {part: list(getattr(held, what).shape[1:]) for part, held in found.items()}
        if any(shape != shapes["train"] for shape in shapes.values()):
            said = ", ".join(f"{part} {shape}" for part, shape in shapes.items())
            raise InputError(where, f"{what} of parts differ in shape: {said}", "one shape")
    return found
