"""What commands write fits 80 columns and any encoding, and says so when they take a while."""

from __future__ import annotations

import codecs
import io
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

COLUMNS = 80
"""Width of a terminal for which text is broken into lines."""

_PLAIN = {"µ": "u", "θ": "theta", "τ": "tau", "×": "x", "·": "*", "–": "-", "…": "..."}
_HANDLER = "autoprune.plain"


def wrapped(line: str, hang: int = 2) -> str:
    """One line as lines of at most 80 columns; longer words, such as paths, stay whole.

    Lines after the first stand `hang` columns further to the right.
    """
    indent = line[: len(line) - len(line.lstrip())] + " " * hang
    return textwrap.fill(
        line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def megabytes(size: int) -> str:
    """A number of bytes in words."""
    return f"{size / 1e6:.1f} MB"


@contextmanager
def waiting(words: str) -> Iterator[None]:
    """While this lasts a terminal, but no log, shows `words` and that the command is at work."""
    from autoprune.cli.console import plain_console

    console = plain_console(stderr=True)
    if console.is_dumb_terminal:
        yield
    else:
        with console.status(words, spinner="line"):
            yield


def accept_any_encoding() -> None:
    """Let stdout and stderr write what their encoding lacks: µ as u, the unknown as an escape.

    Without it a log in ASCII or Latin 1 would end a command with a UnicodeEncodeError.
    """
    codecs.register_error(_HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        # What a program that calls us, or a test, put there instead has no encoding to adapt.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or ascii(c)[1:-1] for c in missing), error.end
