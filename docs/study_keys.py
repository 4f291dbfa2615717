"""Write docs/study_keys.md: every key of a study and of a search space, from their types.

What a key means is said by the docstring of its type, what it may be by the type.

    python docs/study_keys.py [--out docs/study_keys.md]
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from autoprune.compress.domain import Domain
from autoprune.compress.option import Option
from autoprune.compress.registry import options, settings_at
from autoprune.compress.space import TABLES, SearchSpace, swept_settings
from autoprune.compress.spec import CompressionSpec
from autoprune.compress.uniform import DEALT
from autoprune.data.spec import DATA_SETS
from autoprune.networks.families import FAMILIES
from autoprune.study.study import Study

Schema = dict[str, Any]
TABLES_MEAN = {
    "branch": "What may vary in one kind of branch, by `attention`, `mlp` or `mixer`.",
    "block": "What may vary once per block.",
    "neuron": "What may vary in the neurons of a block.",
    "stem": "What may vary before the blocks.",
    "head": "What may vary behind the blocks.",
    "model": "What may vary once per network.",
    "uniform": (
        "The uniform sweep: every combination of what is listed here, the same everywhere but in "
        "stem and head. What is searched of neurons and network and not listed is dealt out over "
        "these combinations: [how search works](how_search_works.md)."
    ),
}
"""Tables of a search space, whose keys the methods say."""
HEAD = ("| key | may be | default | means |", "|---|---|---|---|")


@dataclass(frozen=True, slots=True)
class Words:
    """What the docstring of a type says: of the whole, of each key, and behind its keys."""

    whole: str
    keys: dict[str, str]
    rest: str


def words(table: type[BaseModel]) -> Words:
    """Read the docstring of a type, and of those it is derived from."""
    said: dict[str, str] = {}
    for base in reversed(table.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            text = inspect.cleandoc(base.__doc__ or "")
            whole, _, attributes = text.partition("\n\nAttributes:\n")
            listed, _, rest = attributes.partition("\n\n")
            for entry in re.split(r"^(?=\S)", textwrap.dedent(listed), flags=re.MULTILINE):
                names, _, means = entry.partition(":")
                said |= {name.strip(): plain(means) for name in names.split(",")}
    return Words(plain(whole), said, plain(rest))


def plain(text: str) -> str:
    """On one line, with Markdown's back ticks."""
    return " ".join(text.replace("``", "`").split())


def types(annotation: object) -> Iterator[type[BaseModel]]:
    """The tables in an annotation."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from types(part)


def may_be(schema: Schema) -> str:
    """What a value may be, in words."""
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "anyOf" in schema:
        choices = [may_be(choice) for choice in schema["anyOf"] if choice.get("type") != "null"]
        kinds = dict.fromkeys(choices)
        return "number" if set(kinds) == {"number", "whole number"} else " or ".join(kinds)
    if "$ref" in schema:
        return "[values](#values)"
    if schema["type"] == "array":
        return f"list of {may_be(schema['items'])}"
    if schema["type"] == "boolean":
        return "`true`, `false`"
    kind = {"integer": "whole number", "number": "number", "string": "text"}[schema["type"]]
    bounds = {
        "minimum": "from {}",
        "exclusiveMinimum": "above {}",
        "maximum": "to {}",
        "exclusiveMaximum": "below {}",
    }
    said = [text.format(schema[key]) for key, text in bounds.items() if key in schema]
    return " ".join([kind, *said])


def default(schema: Schema, needed: bool) -> str:
    """What holds where the key is left out."""
    if needed:
        return "needed"
    value = schema.get("default")
    words = str(value).lower() if isinstance(value, bool) else value  # as TOML has it
    return "-" if value is None else f"`{words}`"


def section(table: type[BaseModel], title: str) -> Iterator[str]:
    """The keys of a table, and of the tables in it. ValueError for a key that nothing describes."""
    schema = table.model_json_schema()
    said = words(table)
    yield from (title, "", said.whole, "")
    inner: list[tuple[str, type[BaseModel]]] = []
    yield from HEAD
    for key, field in table.model_fields.items():
        if key not in said.keys:
            raise ValueError(f"the docstring of {table.__name__} says nothing of {key}")
        apart = (Domain, SearchSpace)  # which have sections of their own
        tables = [found for found in types(field.annotation) if found not in apart]
        if table is SearchSpace and key in TABLES_MEAN:
            yield f"| `{key}` | table [\\[{key}\\]](#{key}) | - | {said.keys[key]} |"
            continue
        own = schema["properties"][key]
        kind = may_be(own) if not tables else f"table [\\[{key}\\]](#{key})"
        inner += [(key, found) for found in tables]
        left_out = default({} if tables else own, field.is_required())
        yield f"| `{key}` | {kind} | {left_out} | {said.keys[key]} |"
    for option in options() if table is CompressionSpec else ():
        yield f"| `{option.name}` | {told(option)} | `{option.default}` | {option.means} |"
    if said.rest:
        yield from ("", said.rest)
    for key, found in inner:
        yield ""
        yield from section(found, f"### {key}")


def told(option: Option) -> str:
    """What an option may be, in words."""
    words = ", ".join(f"`{word}`" for word in option.words) or option.expected
    return f"{words}, `module:function`" if option.function else words


def settings() -> Iterator[str]:
    """The tables of a search space, with the settings of every method."""
    for kind in ("branch", *TABLES):
        yield from ("", f"### {kind}", "", TABLES_MEAN[kind], "", *HEAD)
        for setting in settings_at(kind):
            yield f"| `{setting.name}` | [values](#values) | - | {setting.means} |"
    yield from ("", "### uniform", "", TABLES_MEAN["uniform"], "", *HEAD)
    for setting in swept_settings():
        kind = "text" if setting.words else "number"
        neutral = json.dumps([setting.neutral])
        default = "dealt out" if DEALT.issuperset(setting.kinds) else f"`{neutral}`"
        yield f"| `{setting.name}` | list of {kind} | {default} | values that the space offers. |"


def page() -> str:
    """The whole page."""
    lines = [
        "# Every key of a study",
        "",
        "A study is a TOML file, and so is the search space that it names. An unknown key is an",
        "error. `autoprune show NAME` prints those that ship, `autoprune check FILE` tries one of",
        "yours.",
        "",
        *section(Study, "## Study"),
        "",
        f"Families of networks: {', '.join(f'`{name}`' for name in FAMILIES)}.",
        "",
        f"Data sets: {', '.join(f'`{name}`' for name in DATA_SETS)}.",
        "",
        *section(SearchSpace, "## Search space"),
        *settings(),
        "",
        *section(Domain, "### values"),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    place = Path(__file__).with_suffix(".md")
    parser.add_argument("--out", type=Path, default=place)
    parser.parse_args().out.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
