"""Tell the kinds of files apart that a user may show or check: machine, search space, study."""

from __future__ import annotations

from pathlib import Path

from autoprune.errors import InputError
from autoprune.spec import bundled
from autoprune.spec.bundled import Folder
from autoprune.spec.toml import read_toml

FOLDERS: dict[str, Folder] = {
    "study": "studies",
    "search space": "search_spaces",
    "machine": "cost_models",
}
_TELLING_KEYS = {"study": "objectives", "search space": "uniform", "machine": "prices"}
_ALSO_TELLING = {"study": "network", "search space": "branch", "machine": "family"}


def kind_of(path: Path) -> str:
    """What a file is, by its keys; InputError where it has none of those that tell."""
    data = read_toml(path)
    for keys in (_TELLING_KEYS, _ALSO_TELLING):
        for kind, key in keys.items():
            if key in data:
                return kind
    raise InputError(str(path), "neither a machine nor a search space nor a study", "[prices], "
                     "[branch] or [network]")


def find_all(name_or_path: str) -> list[tuple[str, Path]]:
    """The files that a user may mean, with their kinds: one for a path, maybe more for a name."""
    if "/" in name_or_path or name_or_path.endswith(".toml"):
        path = bundled.find("studies", name_or_path)
        return [(kind_of(path), path)]
    known = {kind: bundled.names(folder) for kind, folder in FOLDERS.items()}
    found = [
        (kind, bundled.find(folder, name_or_path))
        for kind, folder in FOLDERS.items()
        if name_or_path in known[kind]
    ]
    if not found:
        names = {name for names in known.values() for name in names}
        raise InputError(
            "name", f"nothing bundled is called {name_or_path!r}", name=name_or_path, candidates=names
        )
    return found
