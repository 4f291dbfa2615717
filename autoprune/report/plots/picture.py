"""The picture of a front: all trials, the uniform sweep, the front and the fine-tuned parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from autoprune.report.front.answer import answer
from autoprune.report.front.front import MachineFront, Row
from autoprune.report.plots.fit import Fit
from autoprune.report.tables.front_notes import bits_words
from autoprune.report.units import EnergyUnit
from autoprune.runs.outcome import Origin

# Okabe and Ito's palette: told apart also by colour-blind readers; darker where it would be too
# light for a mark on white.
GREY, _ORANGE, _BLUE, _BLACK = "#808080", "#d55e00", "#0072b2", "#000000"
SERIES = (_BLUE, _ORANGE, "#009e73", "#cc79a7", "#3b8fc2", "#b58900", "#000000")
_MARKS = "os^Dv<>P"


_ORIGINS: Final[Mapping[Origin, tuple[str, dict[str, Any]]]] = {
    "sampled": ("sampled", {"s": 22, "color": GREY}),
    "baseline": ("parent, or a part removed", {"s": 26, "color": GREY, "marker": "s"}),
    "uniform": ("uniform", {"s": 34, "color": _ORANGE, "marker": "^"}),
    "warm": ("of the run begun with", {"s": 22, "color": GREY, "marker": "v"}),
}
"""Words and mark by origin."""

_SETTINGS = style.context("default")
"""Pictures are alike for everybody, and no ``matplotlibrc`` starts LaTeX."""


@_SETTINGS
def plot_front(front: MachineFront, file: Path) -> None:
    """Draw validation accuracy against energy per inference into a PNG file."""
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout="constrained")
    axes = figure.subplots()
    unit = EnergyUnit.of(row.energy_uj for row in front.rows)
    for origin, (words, mark) in _ORIGINS.items():
        rows = [row for row in front.points if row.origin == origin]
        x = [row.energy_uj / unit.in_uj for row in rows]
        y = [100 * row.validation.accuracy for row in rows]
        if rows:
            axes.scatter(x, y, label=f"{words} ({len(rows)})", **mark)
    if front.rows:
        _members(axes, front.rows, unit)
    if taken := answer(front).row:
        _ring(axes, [taken.energy_uj / unit.in_uj], [100 * taken.worth])
    parent = [front.parent_energy_uj / unit.in_uj], [100 * front.parent.accuracy]
    axes.plot(*parent, "*", color=_BLACK, markersize=13, label="fine-tuned parent")
    lines = [f"{front.machine}: {bits_words(front)}", *([front.data] if front.data else [])]
    if fit := Fit.of(front):
        axes.set_xlim(*(end / unit.in_uj for end in fit.energy_uj))
        axes.set_ylim(*(100 * end for end in fit.score))
        lines += [f"{fit.outside} networks lie outside the axes"] if fit.outside else []
    axes.set_ylabel(f"validation {front.parent.name} [%]", parse_math=False)
    _finish(axes, f"energy per inference [{unit.name}]", "\n".join(lines))
    _legend(axes)
    figure.savefig(file, format="png")


def _members(axes: Axes, rows: Sequence[Row], unit: EnergyUnit) -> None:
    """The front at what its members are worth, and its intervals, both behind the marks."""
    x, y = [row.energy_uj / unit.in_uj for row in rows], [100 * row.worth for row in rows]
    below = [max(100 * (r.worth - r.validation.interval[0]), 0) for r in rows]
    above = [max(100 * (r.validation.interval[1] - r.worth), 0) for r in rows]
    axes.step(x, y, where="post", color=_BLUE, linewidth=1.4, zorder=1)
    axes.errorbar(
        x,
        y,
        yerr=(below, above),
        fmt="o",
        color=_BLUE,
        markersize=9,
        markerfacecolor="none",  # its score as it was measured is the mark at its energy
        elinewidth=0.9,
        capsize=2,
        zorder=1,
        label=f"front ({len(rows)}): expected, 95 % intervals",
    )


@_SETTINGS
def plot_fronts(fronts: Sequence[MachineFront], file: Path) -> None:
    """Draw all fronts into a PNG file, on one axis: energy as share of the fine-tuned parent's.

    Members below the reference of the hypervolume are left out, and counted.
    """
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout="constrained")
    axes = figure.subplots()
    outside = 0
    for place, front in enumerate(fronts):
        rows = [row for row in front.rows if row.worth > front.reference[0]]
        outside += len(front.rows) - len(rows)
        x = [100 * row.energy_ratio for row in rows]
        y = [100 * row.worth for row in rows]
        axes.step(
            x,
            y,
            where="post",
            color=SERIES[place % len(SERIES)],
            marker=_MARKS[place % len(_MARKS)],
            linewidth=1.4,
            markersize=6,
            # matplotlib leaves a name that begins with _ out of a legend
            label=f" {front.machine}" if front.machine.startswith("_") else front.machine,
        )
    taken = [row for front in fronts if (row := answer(front).row)]
    _ring(axes, [100 * row.energy_ratio for row in taken], [100 * row.worth for row in taken])
    parents = [100 * front.parent.accuracy for front in fronts]
    label = "fine-tuned parent, at the bits of each" if len({*parents}) > 1 else "fine-tuned parent"
    axes.plot([100] * len(parents), parents, "*", color=_BLACK, markersize=13, label=label)
    expected = any(row.posterior for front in fronts for row in front.rows)
    by = ", expected by all trials" if expected else ""
    axes.set_ylabel(f"validation {fronts[0].parent.name} [%]{by}", parse_math=False)
    left = f"; {outside} members more than 10 points below the parent left out" if outside else ""
    title = f"Fronts of {len(fronts)} machines{left}"
    _finish(axes, "energy per inference [% of the fine-tuned parent's]", title)
    _legend(axes)
    figure.savefig(file, format="png")


def _ring(axes: Axes, x: Sequence[float], y: Sequence[float]) -> None:
    """Around the networks that are taken."""
    axes.scatter(x, y, s=200, facecolors="none", edgecolors=_BLACK, zorder=4, label="taken")


def _finish(axes: Axes, across: str, title: str) -> None:
    """Energy is logarithmic; a dollar sign in a title is one."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(_minor))
    axes.set_xlabel(across)
    axes.set_title(title, fontsize=10, parse_math=False)
    axes.grid(visible=True, which="both", linewidth=0.4, alpha=0.4)


def _legend(axes: Axes) -> None:
    """A dollar sign in a name is one here, too."""
    for text in axes.legend(fontsize=8, loc="best").get_texts():
        text.set_parse_math(False)


def _minor(value: float, _: int) -> str:
    """Label 2 and 5 of every decade, so that a front within one decade has numbers."""
    first = f"{value:e}"[0]
    return f"{value:g}" if first in "25" else ""
