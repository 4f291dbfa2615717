"""Values in a notebook: what a table of a terminal shows, as HTML in which no text is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from autoprune.report.units import EnergyUnit, energy_words, score_words, significant

if TYPE_CHECKING:  # they show themselves by what is here
    from autoprune.report.front.answer import Answer
    from autoprune.report.front.front import MachineFront, Row
    from autoprune.report.front.pick import Pick

_LEFT = ("machine", "plan")
"""Columns of words, which notebooks would align to the right as they do numbers."""


def answers_html(title: str, answers: Sequence[Answer]) -> str:
    """What a run found, one row per machine."""
    heads = ("machine", "trial", "val % [95 %]", "energy", "less than parent", "less than uniform")
    rows = [
        (
            one.machine,
            one.row.trial,
            score_words(one.row.validation),
            energy_words(one.row.energy_uj),
            _times(one.less_than_parent),
            _times(one.less_than_uniform),
        )
        if one.row
        else (one.machine, *["-"] * 5)
        for one in answers
    ]
    return f"<p><b>{escape(title)}</b></p>{_table(heads, rows)}"


def front_html(front: MachineFront) -> str:
    """The front of a machine."""
    head = f"{front.machine}: front of {len(front.rows)} out of {front.networks_words}"
    return f"<p><b>{escape(head)}</b><br>{escape(front.title)}</p>{_rows(front.rows)}"


def pick_html(found: Pick) -> str:
    """A picked network, why, and what comes next."""
    rows = [row for row in (found.row, *found.runners_up) if row is not None]
    head = f"trial {found.row.trial}" if found.row else "nothing fits"
    text = f"<p><b>{escape(f'{found.machine}: {head}')}</b><br>{escape(found.reason)}</p>"
    export = f"<p><code>{escape(found.export)}</code></p>" if found.export else ""
    return text + (_rows(rows) if rows else "") + export


def _rows(rows: Sequence[Row]) -> str:
    unit = EnergyUnit.of(row.energy_uj for row in rows)
    heads = ("trial", "val % [95 %]", "worth %", "test %", unit.name, "of the parent's", "plan")
    return _table(
        heads,
        [
            (
                row.trial,
                score_words(row.validation),
                _expected(row),
                "-" if row.test is None else f"{100 * row.test.accuracy:.1f}",
                unit.digits(row.energy_uj),
                f"{100 * row.energy_ratio:.1f} %",
                row.plan,
            )
            for row in rows
        ],
    )


def _expected(row: Row) -> str:
    return f"{100 * row.worth:.1f}" if row.posterior else "-"


def _times(value: float | None) -> str:
    return "-" if value is None else f"{significant(value, 2)} x"


def _table(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    aside = [' style="text-align: left"' if head in _LEFT else "" for head in heads]

    def line(tag: str, cells: Iterable[object]) -> str:
        pairs = zip(cells, aside, strict=True)
        return (
            "<tr>" + "".join(f"<{tag}{own}>{escape(str(c))}</{tag}>" for c, own in pairs) + "</tr>"
        )

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', heads)}</thead><tbody>{body}</tbody></table>"
