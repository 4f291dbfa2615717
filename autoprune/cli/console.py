"""What commands print on: text that may be anybody's is shown, and commands no terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, final

from autoprune.report.outside import printable

if TYPE_CHECKING:
    from rich.console import Console


_LONGER = 12
"""Columns that a line may need more where θ is written ``theta``: see `accept_any_encoding`."""


def plain_console(**how: Any) -> Console:
    """A console of rich on which no text is markup, an emoji or a number to be coloured.

    Control characters are shown; only rich itself moves the cursor and colours. `how` is as
    rich's `Console` takes it.
    """
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Plain(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for text, style, control in super().render(renderable, options):
                yield Segment(text if control else printable(text), style, control)

        @property
        def file(self) -> IO[str]:
            """The stream behind all that show: a live display of rich puts one before ours."""
            found = super().file
            while hasattr(found, "rich_proxied_file"):
                found = found.rich_proxied_file
            return found

        @file.setter
        def file(self, new_file: IO[str]) -> None:
            self._file = new_file

    console = Plain(markup=False, emoji=False, highlight=False, **how)
    if not _has_greek(console.encoding):
        console.width -= _LONGER
    return console


def _has_greek(encoding: str) -> bool:
    try:
        return bool("θτ".encode(encoding))
    except UnicodeEncodeError:
        return False


@final
class _Shown:
    """A stream on which control characters are shown; rich writes to the one behind it."""

    def __init__(self, stream: IO[str]) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        return self.rich_proxied_file.write(printable(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def showing() -> Iterator[None]:
    """While this lasts, whatever is written to stdout and stderr is shown so.

    A stream that is closed, as a job's may be, takes what is written to nowhere.
    """
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        sys.stdout, sys.stderr = (_Shown(stream or nowhere) for stream in before)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
