"""Read a TOML file, and turn what a validator finds wrong with it into one clear line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import tomlkit
from pydantic import BaseModel, ValidationError

from autoprune.errors import InputError

Table = TypeVar("Table", bound=BaseModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file; InputError where it is absent, not UTF-8 or not TOML."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(str(path), "no such file") from error
    except UnicodeDecodeError as error:
        raise InputError(
            str(path), f"not UTF-8 (byte {error.start})", "a UTF-8 TOML file"
        ) from error
    except OSError as error:
        raise InputError(str(path), f"not readable ({error.strerror})", "a TOML file") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(str(path), f"not valid TOML: {error}") from error


def to_toml(table: BaseModel) -> str:
    """What was set of a table, as TOML that `validate` takes."""
    return tomlkit.dumps(table.model_dump(mode="json", exclude_unset=True, exclude_none=True))


def validate(model: type[Table], data: Mapping[str, Any], where: str) -> Table:
    """`data` as a checked `model`; InputError for the first thing that is wrong, with its key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _explained(model, error, where) from error


def _explained(model: type[BaseModel], error: ValidationError, where: str) -> InputError:
    """What a validator found wrong; a misspelt key before the key that it leaves out."""
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    place = f"{where}: {key}" if key else where
    given = f"given {first['input']!r}"
    match first["type"]:
        case "extra_forbidden":
            name = str(first["loc"][-1])
            known = _keys(model, first["loc"][:-1])
            return InputError(place, f"unknown key {name!r}", name=name, candidates=known)
        case "missing":
            return InputError(place, "missing")
        case "literal_error":
            words = re.findall("'([^']*)'", first["ctx"]["expected"])
            return InputError(place, given, name=str(first["input"]), candidates=words)
        case _:
            cause = (first.get("ctx") or {}).get("error")
            return InputError(place, given, str(cause) if cause else first["msg"])


def _keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that the table at `location` inside `model` accepts; none where it is none."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            return []
        inner = field.annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]
