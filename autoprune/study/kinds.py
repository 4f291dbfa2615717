"""Tell the kinds of files apart that a user may show or check: machine, search space, study."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from autoprune.config import Folder, bundled_names, find_file, read_toml
from autoprune.errors import InputError
from autoprune.files import user_path

Kind = Literal["study", "search space", "machine"]

FOLDERS: dict[Kind, Folder] = {
    "study": "studies",
    "search space": "search_spaces",
    "machine": "cost_models",
}

_TELLING_KEYS: dict[Kind, tuple[str, ...]] = {
    "study": ("objectives", "network", "parent", "finetune", "space"),
    "search space": ("branch", "uniform", "neuron", "model"),
    "machine": ("prices", "family", "capabilities", "weight_bits"),
}
"""Keys that only one kind has; a file with a misspelt or missing key has others left to tell."""


def find_all(name_or_path: str) -> list[tuple[Kind, Path]]:
    """Return the files that a user may mean: one for a path, one of each kind for a name.

    Raises InputError where there is no such file, or its keys are of no kind.
    """
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        path = user_path(name_or_path, "file")
        return [(_kind(path), path)]
    known = {kind: bundled_names(folder) for kind, folder in FOLDERS.items()}
    found = [
        (kind, find_file(folder, name_or_path))
        for kind, folder in FOLDERS.items()
        if name_or_path in known[kind]
    ]
    if not found:
        raise InputError(
            repr(name_or_path),
            "nothing bundled has this name",
            "a TOML file, or one of " + ", ".join(sorted({n for ns in known.values() for n in ns})),
            name=name_or_path,
            candidates={
                *(name for names in known.values() for name in names),
                *(file.name for file in Path().glob("*.toml")),
            },
        )
    return found


def _kind(path: Path) -> Kind:
    """Decide by the keys of a file what it is."""
    keys = set(read_toml(path))
    kind = max(_TELLING_KEYS, key=lambda kind: len(keys.intersection(_TELLING_KEYS[kind])))
    if not keys.intersection(_TELLING_KEYS[kind]):
        raise InputError(
            str(path),
            "neither a machine nor a search space nor a study",
            "[prices] (a machine), [branch] (a search space) or [network] (a study)",
        )
    return kind
