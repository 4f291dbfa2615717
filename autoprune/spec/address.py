"""The address of a database in a study: one without a password, which a study would hand around."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from autoprune.errors import InputError

_EXPECTED = "DATABASE://USER@HOST/NAME, such as postgresql://me@db.example.org/runs"


def check_storage(address: object, where: str) -> None:
    """InputError unless this is an address without a password; the message never shows one.

    It is looked at before anything else in a study, so that no other message shows one either.
    """
    if not isinstance(address, str):
        return
    try:
        parts = urlsplit(address)
        secret = parts.password is not None or any(
            "pass" in key.lower() for key, _ in parse_qsl(parts.query, keep_blank_values=True)
        )
    except ValueError as error:
        raise InputError(where, "not an address", _EXPECTED) from error
    if secret:
        raise InputError(
            where,
            "holds a password, which would be copied into every run folder",
            "the address without it; set AUTOPRUNE_STORAGE_PASSWORD in the environment",
        )
    if not parts.scheme or "://" not in address:
        raise InputError(where, "not an address", _EXPECTED)
