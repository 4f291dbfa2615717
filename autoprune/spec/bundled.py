"""Find what ships with autoprune: a name is a bundled file, a path is that file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from autoprune.errors import InputError

Folder = Literal["search_spaces", "cost_models", "studies"]

_PACKAGE = Path(__file__).resolve().parent.parent


def _folder(kind: Folder) -> Path:
    """Where the files of one kind lie: in the wheel beside the code, in a checkout above it."""
    installed = _PACKAGE / "_bundled" / kind
    return installed if installed.is_dir() else _PACKAGE.parent / kind


def names(kind: Folder) -> list[str]:
    """The names of the bundled files of one kind, sorted."""
    return sorted(path.stem for path in _folder(kind).glob("*.toml"))


def find(kind: Folder, name_or_path: str, base: Path | None = None) -> Path:
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
    if name_or_path not in names(kind):
        what = {"search_spaces": "search space", "cost_models": "machine", "studies": "study"}[kind]
        raise InputError(
            what,
            f"unknown {what} {name_or_path!r}",
            name=name_or_path,
            candidates=names(kind),
        )
    return _folder(kind) / f"{name_or_path}.toml"
