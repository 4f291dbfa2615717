"""The address of a Ray cluster, asked before it is joined.

Joining an address where nothing answers takes Ray minutes, and ends the process without a reason.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from autoprune.errors import InputError

_CONNECT_S, _ANSWER_S = 2.0, 7.0
"""How long an address may take to accept a connection, and to say that it is a Ray cluster."""


def find_address(option: str | None, workers: int | None) -> str | None:
    """The cluster's address by the command line, else by RAY_ADDRESS; None where neither has one.

    `workers` is the command line's, too; 0 asks for no Ray. Raises InputError, within ten seconds,
    unless a Ray cluster answers at the address.
    """
    where = f"--address {option or repr(option)}"
    if workers == 0:
        if option is not None:
            raise InputError(where, "with --workers 0, which uses no Ray")
        return None
    if option is not None:
        _check(option, where)
        return option
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        return None
    _check(address, f"RAY_ADDRESS {address}")
    return address


def _check(address: str, where: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or int(port) >= 2**16:
        raise InputError(where, "no address", "HOST:PORT of a cluster's head, as 10.0.0.1:6379")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except (OSError, ValueError) as error:  # ValueError: no name that a host can have
        reason = getattr(error, "strerror", None) or "no connection"
        raise InputError(where, f"nothing answers there ({reason})", "a running head") from error
    ask = [sys.executable, "-P", "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        asked = subprocess.run(
            ask, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_ANSWER_S
        )
    except subprocess.TimeoutExpired as error:
        given = f"something listens there, but gives no answer of a Ray cluster in {_ANSWER_S:g} s"
        raise InputError(where, given, "the port of a head, 6379 by default") from error
    if asked.returncode != 0:
        reason = (asked.stderr.strip().splitlines() or [f"code {asked.returncode}"])[-1]
        raise InputError(where, f"does not let us in ({reason})")
