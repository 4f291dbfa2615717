"""What ships with autoprune, and the content of one of its files or of a user's."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autoprune.config import bundled_names, find_file, read_toml
from autoprune.cost.load import FAMILIES, families, load_machine
from autoprune.cost.model import CostModel
from autoprune.files import read_text
from autoprune.study.kinds import FOLDERS, Kind, find_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A machine, a search space or a study.

    Attributes:
        kind: what it is. file: where it lies. text: what stands there.
        model: of a machine; None of another kind.
    """

    kind: Kind
    file: Path
    text: str
    model: CostModel | None = None

    @property
    def formulas(self) -> str:
        """What the family of a machine says of itself, in its module or its class."""
        family = type(self.model)
        return inspect.getdoc(sys.modules[family.__module__]) or inspect.getdoc(family) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What a user can name without a file.

    Attributes:
        titles: of each kind, by name.
        families: of machines, by name: ``module:Class`` of one that a package adds, else empty.
    """

    titles: Mapping[Kind, Mapping[str, str]]
    families: Mapping[str, str]


def read_shown(name_or_path: str, *, imports: bool) -> tuple[Shown, ...]:
    """What a file holds, or all that is bundled under a name.

    `imports` says whether a machine's class may be imported. Raises InputError where there is no
    such file or name, or a machine's file is wrong.
    """
    return tuple(
        Shown(
            kind=kind,
            file=path,
            text=read_text(path),
            model=load_machine(str(path), imports=imports) if kind == "machine" else None,
        )
        for kind, path in find_all(name_or_path)
    )


def read_shipped() -> Shipped:
    """Everything that is bundled, and all families of machines."""
    return Shipped(
        titles={
            kind: {name: _title(find_file(folder, name)) for name in bundled_names(folder)}
            for kind, folder in FOLDERS.items()
        },
        families={n: "" if n in FAMILIES else place for n, place in families().items()},
    )


def _title(file: Path) -> str:
    return str(read_toml(file)["title"])
