"""Text that may be anybody's, such as titles and causes: shown, and never a command to a program.

A terminal obeys control characters, and a spreadsheet takes a cell that begins with one of four
signs for a formula (OWASP, "CSV Injection").
"""

from __future__ import annotations

import unicodedata
from typing import TypeVar

T = TypeVar("T")

_KEPT = "\n\t"
_TURNS = {*"\u200e\u200f\u2028\u2029", *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))}
"""Characters that turn the direction of what follows, or break lines, out of sight."""


def printable(text: str) -> str:
    r"""`text` with every control character but tab and line feed as an escape such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(ascii(c)[1:-1] if _commands(c) else c for c in text)


def _commands(character: str) -> bool:
    if character in _KEPT:
        return False
    return unicodedata.category(character) == "Cc" or character in _TURNS


def cell(value: T) -> T | str:
    """A cell of a CSV file that no spreadsheet takes for a formula: an apostrophe makes it text."""
    if isinstance(value, str) and len(value) > 1 and value[0] in "=+-@\t\r":
        return f"'{value}"
    return value
