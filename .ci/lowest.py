"""Writes `.ci/lowest.txt`: constraints with the lowest version that pyproject allows of everything.

`python .ci/lowest.py`, after a bound was changed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / ".ci" / "lowest.txt"
EXTRA = "test"
"""What is installed with these versions: the package, and this extra of it."""


def required(project: dict[str, Any], extra: str) -> Iterator[Requirement]:
    """What an extra asks for, and the extras of the project's own that it names."""
    for asked in map(Requirement, project["optional-dependencies"][extra]):
        if asked.name == project["name"]:
            for inner in sorted(asked.extras):
                yield from required(project, inner)
        else:
            yield asked


def lowest(asked: Requirement) -> str:
    """`name==X` of `name>=X` and of `name==X`. ValueError where it has neither."""
    for bound in asked.specifier:
        if bound.operator in (">=", "=="):
            return f"{asked.name}=={bound.version}"
    raise ValueError(f"{asked}: no lowest version; expected >= or ==")


def constraints() -> str:
    """The text of the file: a line for each, in alphabetical order."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*map(Requirement, project["dependencies"]), *required(project, EXTRA)]
    return "".join(f"{line}\n" for line in sorted({*map(lowest, asked)}, key=str.lower))


if __name__ == "__main__":
    TARGET.write_text(constraints(), encoding="utf-8")
