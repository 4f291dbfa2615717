"""What a node of a cluster needs so that trials run there; read there before anything else is.

It imports nothing that the node may lack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

_PACKAGES = ("torch", "spikingjelly", "numpy", "optuna", "pyarrow", "safetensors", "scikit-learn")
"""Those that a trial imports, or that decide its numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What every node has to have.

    Attributes:
        versions: of packages, by name.
        files: what workers read, by path.
        shared: a file of the run folder and its content: a node that finds another, or none, does
            not see the run folder, and what its workers write would be lost. None where they write
            to `artifacts`.
        artifacts: the address of storage to which workers write; None where there is none.
    """

    versions: Mapping[str, str]
    files: tuple[str, ...]
    shared: tuple[str, str] | None
    artifacts: str | None = None

    @classmethod
    def here(cls, files: Iterable[Path], shared: Path | None, artifacts: str | None = None) -> Self:
        """What this process has."""
        seen = None
        if shared is not None:
            seen = (str(shared.resolve()), shared.read_text(encoding="utf-8"))
        return cls(
            versions={name: version(name) for name in _PACKAGES},
            files=tuple(sorted({str(file.resolve()) for file in files})),
            shared=seen,
            artifacts=artifacts,
        )


def lacks(needs: Needs) -> list[str]:
    """What the machine that this runs on does not have, in words."""
    found = []
    for name, wanted in needs.versions.items():
        try:
            installed = version(name)
        except PackageNotFoundError:
            found.append(f"{name} {wanted}")
            continue
        if installed != wanted:
            found.append(f"{name} {wanted} (it has {installed})")
    found += [f"the file {file}" for file in needs.files if not Path(file).is_file()]
    if needs.shared is not None:
        file, content = Path(needs.shared[0]), needs.shared[1]
        if not file.is_file() or file.read_text(encoding="utf-8") != content:
            found.append(f"the run folder {file.parent} (put it on storage that all nodes share)")
    if needs.artifacts is not None:
        found += _no_access(needs.artifacts)
    return found


def _no_access(address: str) -> list[str]:
    try:
        from autoprune.runs.artifacts import Artifacts

        Artifacts(address).check()
    except Exception as error:  # noqa: BLE001 - whatever is missing there
        return [f"access to storage ({error})"]
    return []
