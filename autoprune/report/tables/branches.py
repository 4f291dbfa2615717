"""What each branch carries, loses and saves, as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.errors import RecordError
from autoprune.report.front.branches import Removal
from autoprune.report.units import score_words
from autoprune.runs.outcome import Outcome
from autoprune.trial.key import FINE_TUNED, TrialKey

_Column: TypeAlias = tuple[str, list[str]]
"""Head and cells."""


def branch_table(baselines: Mapping[TrialKey, Outcome]) -> RenderableType:
    """What the parent, and every branch of it, is worth; the names are the keys of the baselines.

    Points lost are of the validation score, against the fine-tuned parent.

    Raises RecordError where the fine-tuned parent was not measured.
    """
    tuned = baselines[FINE_TUNED].measurement if FINE_TUNED in baselines else None
    if tuned is None:
        raise RecordError("the run has no fine-tuned parent yet: nothing to compare with")
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title="What each branch carries (all but the parent fine-tuned alike)",
        title_justify="left",
    )
    table.add_column("network")
    for name in ("val % [95 %]", "test % [95 %]", "points lost"):
        table.add_column(name, justify="right", no_wrap=True)
    for key in sorted(baselines):
        m = baselines[key].measurement
        if m is None:
            table.add_row(str(key), "failed", "failed", "-")
            continue
        lost = round(100 * (tuned.validation.accuracy - m.validation.accuracy), 1)
        # Adding zero turns the -0.0 of a tiny gain into 0.0.
        table.add_row(str(key), score_words(m.validation), score_words(m.test), f"{lost + 0.0:.1f}")
    return table


def removal_table(removals: Sequence[Removal], width: int = 80) -> RenderableType:
    """Removals as a table for so many columns; machines that have no room go on below."""
    own, machines = _own(removals), _machines(removals)
    room = width - sum(map(_width, own))
    return Group(
        Text("What removing each branch loses and saves\n", style="bold"),
        *(
            shown
            for some in _side_by_side(machines, room)
            for shown in (_table([*own, *some]), Text())
        ),
        Text(
            "lost: points of the validation score against the fine-tuned parent; then the share of "
            "its energy that is saved, in % per machine."
        ),
    )


def _own(removals: Sequence[Removal]) -> list[_Column]:
    """The branch, and what is lost."""
    return [
        ("without", [removal.branch for removal in removals]),
        # Adding zero turns the -0.0 of a tiny gain into 0.0.
        ("lost", [f"{round(100 * removal.lost, 1) + 0.0:.1f}" for removal in removals]),
    ]


def _machines(removals: Sequence[Removal]) -> Iterator[_Column]:
    """What is saved on each machine."""
    for place, (name, _) in enumerate(removals[0].saved if removals else ()):
        shares = [removal.saved[place][1] for removal in removals]
        yield name, ["-" if share is None else f"{100 * share:.1f}" for share in shares]


def _side_by_side(columns: Iterable[_Column], room: int) -> Iterator[list[_Column]]:
    """Columns that stand side by side in so much room, at least one each time."""
    some: list[_Column] = []
    for column in columns:
        if some and sum(map(_width, [*some, column])) > room:
            yield some
            some = []
        some = [*some, column]
    yield some


def _width(column: _Column) -> int:
    """Columns of a terminal, with the space before."""
    head, cells = column
    return max(map(len, (head, *cells))) + 1


def _table(columns: Sequence[_Column]) -> Table:
    """Columns that are as wide as their words; the first is words."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for place, (head, _) in enumerate(columns):
        table.add_column(head, justify="right" if place else "left", no_wrap=True)
    for row in zip(*(cells for _, cells in columns), strict=True):
        table.add_row(*row)
    return table
