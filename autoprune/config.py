"""What a user writes in TOML: which file a name means, and how it is read and checked.

What a validator finds wrong with a file becomes one clear line; what a contract finds out about a
machine or a method is a `Verdict` on each of its rules.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autoprune.errors import InputError

Folder = Literal["search_spaces", "cost_models", "studies"]
Table = TypeVar("Table", bound=BaseModel)

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""A value that a JSON document holds."""

Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""How every table of a TOML file is checked: no unknown key, no conversion, no change."""

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a rule is kept that everything of its kind obeys.

    Attributes:
        rule: in words. counterexample: what breaks it; empty where it is kept.
        note: why it does not apply, where a family of machines says so.
    """

    rule: str
    counterexample: str = ""
    note: str = ""

    @property
    def word(self) -> Literal["pass", "not so", "broken"]:
        """It in a word."""
        return "broken" if self.counterexample else "not so" if self.note else "pass"


def _folder(kind: Folder) -> Path:
    """Where the files of one kind lie: in the wheel beside the code, in a checkout above it."""
    installed = _PACKAGE / "_bundled" / kind
    return installed if installed.is_dir() else _PACKAGE.parent / kind


def bundled_names(kind: Folder) -> list[str]:
    """The names of the bundled files of one kind, sorted."""
    return sorted(path.stem for path in _folder(kind).glob("*.toml"))


def find_file(kind: Folder, name_or_path: str, base: Path | None = None) -> Path:
    """The file that a user means.

    Something with a separator or an ending is a path, relative to `base` (the folder of the file
    that names it) or to the working directory; anything else is the name of a bundled file.

    Raises InputError where there is no such file.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        path = (base or Path()) / Path(name_or_path).expanduser()
        if not path.is_file():
            raise InputError(str(path), "no such file", f"a TOML file of {kind.replace('_', ' ')}")
        return path
    if name_or_path not in bundled_names(kind):
        what = {"search_spaces": "search space", "cost_models": "machine", "studies": "study"}[kind]
        raise InputError(
            what,
            f"unknown {what} {name_or_path!r}",
            name=name_or_path,
            candidates=bundled_names(kind),
        )
    return _folder(kind) / f"{name_or_path}.toml"


def read_toml(path: Path) -> dict[str, object]:
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
