"""Addresses in a study: without passwords, which a study would hand around."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from autoprune.errors import InputError

_FILES = "PROTOCOL://PLACE, such as s3://BUCKET/runs or file:///mnt/shared/runs"
_EXPECTED = "DATABASE://USER@HOST/NAME, such as postgresql://me@db.example.org/runs"


def check_storage(address: object, where: str) -> None:
    """InputError unless this is an address without a password; the message never shows one.

    It is looked at before anything else in a study, so that no other message shows one either.
    """
    _check(address, where, _EXPECTED, "set AUTOPRUNE_STORAGE_PASSWORD in the environment")


def check_artifacts(address: object, where: str) -> None:
    """Likewise of storage for files, by an fsspec address."""
    _check(address, where, _FILES, "its package reads secrets from the environment")


def _check(address: object, where: str, expected: str, instead: str) -> None:
    if not isinstance(address, str):
        return
    try:
        parts = urlsplit(address)
        given = parse_qsl(parts.query, keep_blank_values=True)
        secret = parts.password is not None or any(
            word in key.lower() for key, _ in given for word in ("pass", "secret", "token")
        )
    except ValueError as error:
        raise InputError(where, "not an address", expected) from error
    if secret:
        raise InputError(
            where,
            "holds a password, which would be copied into every run folder",
            f"the address without it; {instead}",
        )
    place = parts.netloc + parts.path.strip("/")
    if not parts.scheme or "://" not in address or not place or address != address.strip():
        raise InputError(where, "not an address", expected)
    if parts.scheme == "memory" or place == ":memory:" or ("mode", "memory") in given:
        raise InputError(where, "in memory, which is lost with its process", expected)
