"""What a user writes in TOML: which file a name means, and how it is read and checked.

What a validator finds wrong with a file becomes one clear line; what a contract finds out about a
machine or a method is a `Verdict` on each of its rules.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, get_args, get_origin

import tomlkit
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from autoprune.errors import InputError
from autoprune.files import MIB, read_text, user_path

Folder = Literal["search_spaces", "cost_models", "studies"]
Table = TypeVar("Table", bound=BaseModel)

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""A value that a JSON document holds."""


def _one_line(title: str) -> str:
    kinds = {unicodedata.category(sign) for sign in title[:_LONGEST]}
    shown = any(kind[0] not in "CZ" for kind in kinds)  # neither control nor space, of any width
    if not shown or len(title) > _LONGEST or len(title.splitlines()) > 1:
        raise ValueError(f"one line of 1 to {_LONGEST} characters")
    return title


_LONGEST = 200
Title = Annotated[str, AfterValidator(_one_line)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
"""How many of something there are; more than that of anything can only be a slip."""
Steps = Annotated[int, Field(ge=1, le=1024)]
"""Time steps, frames, or threads."""
Epochs = Annotated[int, Field(ge=0, le=100_000)]
Minutes = Annotated[float, Field(ge=0.01, le=366 * 24 * 60)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
LearningRate = Annotated[float, Field(ge=1e-12, le=100, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]

STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
"""How every table of a TOML file is checked: no unknown key, no conversion, no change."""

_TOML_BYTES = MIB
"""The largest TOML file that is read: a space with every key of a hundred blocks is smaller."""

_DEEPEST = 32
_BRACKETS = re.compile(r"[\[\]{}]")
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*"""
_DOTTED = re.compile(rf"(?<![\w-])(?:{_PART}){{{_DEEPEST}}}")
"""A key of more parts than that: a.b.c and so on."""

_DIGITS = re.compile(r"0[xob][0-9a-fA-F_]{1000}")
"""The beginning of an integer that Python reads, and does not print: decimal ones have a limit."""

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
        path = (base or Path()) / user_path(name_or_path, kind.replace("_", " "))
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
    """The content of a TOML file; raises what `read_text` does, and InputError for what is no TOML.

    A file that is nested more deeply than any of ours is refused before it is parsed: that would
    take minutes, or all of the stack.
    """
    text = read_text(path, _TOML_BYTES)
    if _depth(text) > _DEEPEST or _DOTTED.search(text):
        raise InputError(str(path), "nested too deeply", f"at most {_DEEPEST} levels")
    if _DIGITS.search(text):
        raise InputError(str(path), "an integer of more than 1000 digits", "one of 64 bits")
    try:
        return tomllib.loads(text)
    except ValueError as error:  # of TOML, or an integer of more digits than Python reads
        raise InputError(str(path), f"not valid TOML: {error}") from error


def _depth(text: str) -> int:
    """How many brackets are open at once, at most; those inside of texts count as well."""
    depth = deepest = 0
    for sign in _BRACKETS.findall(text):
        depth = depth + 1 if sign in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


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
    # Of a value that may be of several types pydantic names the type, too, such as list[int].
    key = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
    place = f"{where}: {key[:_LONGEST]}" if key else where
    given = f"given {_shown(first['input'])}"
    match first["type"]:
        case "extra_forbidden":
            name = str(first["loc"][-1])
            known = _keys(model, first["loc"][:-1])
            return InputError(place, f"unknown key {name!r}", name=name, candidates=known)
        case "missing":
            beside = _missing_beside(error, first["loc"])
            return InputError(place, "missing" + (f", as are {beside}" if beside else ""))
        case "literal_error":
            words = re.findall("'([^']*)'", first["ctx"]["expected"])
            return InputError(place, given, name=str(first["input"]), candidates=words)
        case _:
            cause = (first.get("ctx") or {}).get("error")
            wanted = str(cause) if cause else first["msg"].removeprefix("Input should be ")
            if "; expected " in wanted:  # it says what of a table was given, too
                return InputError(place, wanted)
            return InputError(place, given, wanted)


def _missing_beside(error: ValidationError, location: tuple[int | str, ...]) -> str:
    """What else the same table lacks."""
    lacks = (found["loc"] for found in error.errors() if found["type"] == "missing")
    return ", ".join(
        str(place[-1]) for place in lacks if place[:-1] == location[:-1] and place != location
    )


def _shown(value: object) -> str:
    """The value, of a long table its keys."""
    whole = repr(value)
    if isinstance(value, dict) and len(whole) > _LONGEST:
        return "a table of " + ", ".join(map(str, value))
    return whole


def _keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that the table at `location` inside `model` accepts; none where it is none."""
    for part in location:
        if isinstance(part, int):  # of a list of tables, which are alike
            continue
        field = model.model_fields.get(part)
        if field is None:
            return []
        inner = field.annotation
        if get_origin(inner) is list:
            (inner,) = get_args(inner)
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]
