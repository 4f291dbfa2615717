"""Whether the libraries that read and write NIR are there."""

from __future__ import annotations

from importlib.util import find_spec

from autoprune.errors import InputError

NEEDED = ("nir", "nirtorch", "h5py")


def check_nir(where: str) -> None:
    """InputError, at `where`, where a library is not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(
            where,
            f"{', '.join(missing)} not installed",
            "the extra that holds them: pip install 'autoprune[nir]'",
        )
