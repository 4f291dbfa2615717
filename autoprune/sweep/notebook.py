"""What a run shows in a notebook: how far it is, in an output of its cell that is redrawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, final

from rich.console import Console, RenderableType
from rich.text import Text

from autoprune.sweep.progress import Nobody, Observer
from autoprune.sweep.terminal import Terminal

_COLUMNS = 100
"""Columns of text in a cell: the width of a page, which a kernel does not know."""


@final
class Cell:
    """An output of the running cell, of plain text: no widget, so that every notebook shows it.

    Args:
        shown: what is to be shown when it is redrawn.
    """

    def __init__(self, shown: Callable[[], RenderableType]) -> None:
        self._shown = shown
        self._handle: Any = None

    def start(self) -> None:
        """Show it from now on."""
        from IPython.display import display  # where a notebook runs it is there

        empty = _plain(Text())
        self._handle = display(empty, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def refresh(self) -> None:
        """Show it anew."""
        self._handle.update(_plain(self._shown()), raw=True)

    def stop(self) -> None:
        """Show nothing more."""
        self._handle.update(_plain(Text()), raw=True)


def _plain(shown: RenderableType) -> dict[str, str]:
    console = Console(file=io.StringIO(), force_jupyter=False, width=_COLUMNS, color_system=None)
    with console.capture() as captured:
        console.print(shown)
    return {"text/plain": captured.get().rstrip()}


def in_notebook() -> bool:
    """Whether output goes to the cells of a notebook."""
    return Console().is_jupyter


@contextmanager
def usual_observer() -> Iterator[Observer]:
    """Who watches a run where nobody else is asked to: its cell in a notebook, else nobody."""
    if not in_notebook():
        yield Nobody()
        return
    console = Console(
        force_jupyter=False, width=_COLUMNS, markup=False, emoji=False, highlight=False
    )
    with Terminal(console, Cell) as terminal:
        yield terminal


@contextmanager
def usual_count(what: str) -> Iterator[Callable[[int, int], None]]:
    """Who is told how many of how many are done where nobody else is: as `usual_observer`."""
    if not in_notebook():
        yield lambda done, total: None
        return
    line = ""
    cell = Cell(lambda: Text(line))

    def watch(done: int, total: int) -> None:
        nonlocal line
        line = f"{done} of {total} {what}"
        cell.refresh()

    cell.start()
    try:
        yield watch
    finally:
        cell.stop()
