"""What commands write fits 80 columns and any encoding, and says so when they take a while."""

from __future__ import annotations

import codecs
import io
import re
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

COLUMNS = 80
"""Width of a terminal for which text is broken into lines."""

_FAR = 9
"""From this column on a line of formulas is the rest of another."""

_PLAIN = {"µ": "u", "θ": "theta", "τ": "tau", "×": "x", "·": "*", "–": "-", "…": "..."}
_HANDLER = "autoprune.plain"


def wrapped(line: str, hang: int = 2) -> str:
    """One line as lines of at most 80 columns; longer words, such as paths, stay whole.

    Lines after the first stand `hang` columns further to the right.
    """
    indent = " " * (_indent(line) + hang)
    return textwrap.fill(
        line, COLUMNS, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def laid_out(text: str) -> str:
    """A text as lines of at most 80 columns: prose filled again, formulas and tables as they are.

    Prose stands at the margin or behind a dash. A line of formulas that is longer goes on below its
    last column.
    """
    return "\n\n".join("\n".join(_paragraph(part.splitlines())) for part in text.split("\n\n"))


def _paragraph(lines: list[str]) -> Iterator[str]:
    """The lines of a paragraph, items of a list apart."""
    items: list[str] = []
    for line in lines:
        indent = _indent(line)
        goes_on = items and indent == {"-": 2, " ": -1}.get(items[-1][0], 0) and line[0] != "-"
        if goes_on:
            items[-1] += " " + line.strip()
        else:
            items.append(line)
    for item in items:
        columns = [found.end() for found in re.finditer(r"\S  +", item)]
        last = max((column for column in columns if column < COLUMNS // 2), default=0)
        # What stands far in goes on a column of the line above it.
        step = 2 if item[0] in " -" and _indent(item) < _FAR else 0
        yield wrapped(item, last - _indent(item) if last else step)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


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
