"""Fronts and picks as tables of a terminal, readable without colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autoprune.report.front.answer import answer
from autoprune.report.front.diagnostics import Diagnostics
from autoprune.report.front.front import MachineFront, Row
from autoprune.report.tables.front_notes import front_notes, uncounted_words
from autoprune.report.units import EnergyUnit, score_words, significant

PLAN = 28
"""Columns of a terminal that further columns of a front leave to its plans."""


def front_table(front: MachineFront, width: int = 80) -> RenderableType:
    """The front of a machine on a terminal of some columns, with what holds for it alone.

    What does not decide stands in further columns, as many as leave room for the plans; those
    that do not are named. What holds for all fronts of a run is `front_legend`.
    """
    columns, left_out = _columns(front, width)
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        collapse_padding=True,
    )
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("plan", overflow="fold")
    for place, row in enumerate(front.rows):
        table.add_row(*(cells[place] for cells in columns.values()), row.plan)
    lines = [
        f"{front.machine}: front of {len(front.rows)} out of {front.networks_words}",
        front.title,
        _taken(front),
        "",
    ]
    below = ["", *front_notes(front, tested="test" in columns)]
    if left_out:
        below.append(f"On a wider terminal, with --csv or --json also {', '.join(left_out)}.")
    return Group(Text("\n".join(lines), style="bold"), table, Text("\n".join(below)))


def front_legend(fronts: Sequence[MachineFront], width: int = 80) -> list[str]:
    """What holds for all fronts of a run: what columns and letters mean, what was not counted."""
    if not fronts:
        return []
    letters = {
        "uniform": "u: of the uniform sweep",
        "baseline": "b: the parent, or a branch or block removed",
        "warm": "w: measured by the run that this one began with",
    }
    met = {row.origin for front in fronts for row in front.rows}
    shown = {name for front in fronts for name in _columns(front, width)[0]}
    legend = dict.fromkeys(words for front in fronts for words in front.legend)
    marks = "; ".join(words for origin, words in letters.items() if origin in met)
    columns = {
        "worth": "the score in % that all trials lead one to expect of a member.",
        "P": "the chance that it is on the front of true scores.",
        "ratio": "energy to the fine-tuned parent's.",
        "uniform": "best validation % of the uniform sweep at no more energy; * where the trial "
        "beats it outside both intervals.",
    }
    return [
        " ".join(f"{name}: {words}" for name, words in columns.items() if name in shown),
        *([f"Behind a trial's number, {marks}."] if marks else []),
        "plan: T time steps; then per block its branches"
        + (f", as in the parent but for: {', '.join(legend)}." if legend else "."),
        *([f"Data: {fronts[0].data}."] if fronts[0].data else []),
        *(f"Not counted: {words}." for words in uncounted_words(fronts[0])),
    ]


def _taken(front: MachineFront) -> str:
    """The network that the front names where nobody says more."""
    found = answer(front)
    if found.row is None or found.less_than_parent is None:
        return f"No network is to be named: {found.reason}."
    uniform = found.less_than_uniform
    beside = "" if uniform is None else f" and {significant(uniform, 2)} than uniform"
    times = significant(found.less_than_parent, 2)
    return f"Taken: trial {found.row.trial}, {times} times less energy than the parent{beside}."


def _columns(front: MachineFront, width: int) -> tuple[dict[str, list[str]], list[str]]:
    """The columns of a front but for its plans, by their heads; and those that have no room."""
    unit, judged = EnergyUnit.of(row.energy_uj for row in front.rows), _judged(front.rows)
    words, figures = [_words(row, unit) for row in front.rows], _figures(front, unit)
    least = f"least {unit.name}"
    shown = ["trial", "val % [95 %]", *judged[:1], unit.name, "ratio", "uniform"]
    further = ["test", *judged[1:], *(name for name in figures if name != least)]
    every = {name: [own[name] for own in words] for name in (*shown, "test", *judged)} | figures
    shown += [least] if least in figures else []
    taken = sum(_width(name, every[name]) for name in shown)
    room = width - min(PLAN, max((len(row.plan) for row in front.rows), default=0))
    while further and taken + _width(further[0], every[further[0]]) <= room:
        taken += _width(further[0], every[further[0]])
        shown.append(further.pop(0))
    return {name: every[name] for name in shown}, further


def _width(head: str, cells: Sequence[str]) -> int:
    """Columns of a terminal, with the space behind."""
    return max(map(len, (head, *cells))) + 2


def _judged(rows: Sequence[Row]) -> tuple[str, ...]:
    """The columns of what all trials say, where they are enough."""
    return ("worth", "P") if any(row.posterior for row in rows) else ()


def _figures(front: MachineFront, unit: EnergyUnit) -> dict[str, list[str]]:
    """What helps to read the energies, by the heads of columns; what nothing fills is left out."""
    wanted: dict[str, Callable[[Row, Diagnostics], float | None]] = {
        f"least {unit.name}": lambda _, found: _in(unit, found.least_uj),
        "latency µs": lambda _, found: found.latency_us,
        "KiB": lambda _, found: found.memory_kib,
        "host %": lambda _, found: 100 * found.host_share or None,
        f"dynamic {unit.name}": lambda row, found: (
            _in(unit, found.dynamic_uj) if found.dynamic_uj < row.energy_uj else None
        ),
    }
    columns = {
        name: [value(row, row.figures) if row.figures else None for row in front.rows]
        for name, value in wanted.items()
    }
    return {
        name: ["-" if value is None else significant(value) for value in values]
        for name, values in columns.items()
        if {*values} - {None}
    }


def _in(unit: EnergyUnit, energy_uj: float | None) -> float | None:
    return None if energy_uj is None else energy_uj / unit.in_uj


def pick_table(rows: Sequence[Row]) -> RenderableType:
    """Some trials on a machine, then the plan of each."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    unit = EnergyUnit.of(row.energy_uj for row in rows)
    further = ("ratio", "parameters", "kept %", "host %")
    names = ("number", "val % [95 %]", *_judged(rows), "test", unit.name, *further)
    for name in names:
        table.add_column("trial" if name == "number" else name, justify="right", no_wrap=True)
    for row in rows:
        words = _words(row, unit)
        table.add_row(*(words[name] for name in names))
    plans = Text("\n".join(f"{row.trial:>5}  {row.plan}" for row in rows))
    return Group(Text(), table, Text(), plans, Text())


def _words(row: Row, unit: EnergyUnit) -> dict[str, str]:
    """What tables show of a trial on a machine, by the head of the column."""
    uniform = f"{100 * row.uniform.accuracy:.1f}" if row.uniform else "-"
    return {
        "number": str(row.trial),
        "trial": row.name,
        "val % [95 %]": score_words(row.validation),
        "worth": f"{100 * row.worth:.1f}",
        "P": f"{row.posterior.chance:.2f}" if row.posterior else "-",
        "test": f"{100 * row.test.accuracy:.1f}" if row.test else "-",
        unit.name: unit.digits(row.energy_uj),
        "ratio": f"{row.energy_ratio:.3f}",
        "parameters": str(row.parameters),
        "kept %": f"{100 * row.kept_weights:.1f}",
        "host %": f"{100 * row.host_share:.1f}",
        "uniform": uniform + ("*" if row.beats_uniform else ""),
    }
