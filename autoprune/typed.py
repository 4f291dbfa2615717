"""Whether a value that was read from a file is of the types that it declares: JSON holds any."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_LARGEST = 2**63


def typed(value: T, *checked: type) -> T:
    """`value`, a dataclass, whose fields and theirs have the types that are written there.

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
