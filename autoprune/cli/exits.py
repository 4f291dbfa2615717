"""How commands end other than well: exit codes, and what is said then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import click

MISTAKE = 2
"""What was asked for cannot be had, or only a part of it."""

NOTHING_FITS = 3
"""No trial keeps the limits."""

INTERRUPTED = 130
"""Ctrl-C or --time-limit ended the command before its time, as shells have it."""

GO_ON = "Interrupted. The same command goes on where it stopped."


def complain(lines: Iterable[str]) -> None:
    """Write messages to stderr."""
    for line in lines:
        click.echo(f"autoprune: {line}", err=True)


def fail(lines: Iterable[str]) -> None:
    """Say what part of the answer is missing, and end with MISTAKE; nothing where none is."""
    lines = list(lines)
    complain(lines)
    if lines:
        end(MISTAKE)


def end(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise click.exceptions.Exit(code)
