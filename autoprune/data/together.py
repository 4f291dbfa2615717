"""torch, torchvision and torchaudio, which work together only where they were built together."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import requires, version

from packaging.requirements import Requirement
from packaging.version import Version

from autoprune.errors import InputError

TOGETHER = ("torch", "torchvision", "torchaudio")
_INDEX = "https://download.pytorch.org/whl"
"""Where builds lie that PyPI has not, by what stands behind the + of their version: ``cpu``."""


def check_import(module: str, where: str) -> None:
    """InputError, at `where`, with the line that repairs it, unless a module of them works."""
    try:
        import_module(module)
    except Exception as error:
        given = f"{module} cannot be imported ({type(error).__name__}: {error})"
        raise InputError(where, given, built_together()) from error


def built_together() -> str:
    """What is expected of the three, with the line that installs them so.

    torchvision asks for the torch that it was built with, hence pip finds a set; one that has been
    installed from another index is taken from there.
    """
    local = Version(version("torch")).local
    wanted = [f"'{r.name}{r.specifier}'" for r in _declared() if r.name in TOGETHER]
    options = ["--force-reinstall", "--index-url", f"{_INDEX}/{local}"] if local else []
    line = " ".join(["pip install", *options, *wanted])
    return f"torch, torchvision and torchaudio that were built together: {line}"


def _declared() -> list[Requirement]:
    return [Requirement(line) for line in requires("autoprune") or ()]
