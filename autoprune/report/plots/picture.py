"""The picture of a front: all trials, the uniform sweep, the front and the fine-tuned parent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from autoprune.report.front.front import MachineFront, Row
from autoprune.report.tables.front import bits_words

# Okabe and Ito's palette: told apart also by colour-blind readers; darker where it would be too
# light for a mark on white.
GREY, _ORANGE, _BLUE, _BLACK = "#808080", "#d55e00", "#0072b2", "#000000"
SERIES = (_BLUE, _ORANGE, "#009e73", "#cc79a7", "#3b8fc2", "#b58900", "#000000")
_MARKS = "os^Dv<>P"


def plot_front(front: MachineFront, file: Path) -> None:
    """Draw validation accuracy against energy per inference into a PNG file."""
    figure = Figure(figsize=(7.2, 4.6), dpi=150, layout="constrained")
    axes = figure.subplots()
    sampled = [row for row in front.points if row.origin == "sampled"]
    uniform = [row for row in front.points if row.origin == "uniform"]
    probes = [row for row in front.points if row.origin == "probe"]
    removed = [row for row in front.points if row.origin == "baseline"]
    axes.scatter(*_xy(sampled), s=22, color=GREY, label=f"sampled ({len(sampled)})")
    axes.scatter(
        *_xy(removed),
        s=26,
        color=GREY,
        marker="s",
        label=f"parent, or a part removed ({len(removed)})",
    )
    if probes:
        label = f"one branch probed ({len(probes)})"
        axes.scatter(*_xy(probes), s=30, color=GREY, marker="x", linewidth=1.2, label=label)
    axes.scatter(*_xy(uniform), s=34, color=_ORANGE, marker="^", label=f"uniform ({len(uniform)})")
    if warm := [row for row in front.points if row.origin == "warm"]:
        label = f"of the run begun with ({len(warm)})"
        axes.scatter(*_xy(warm), s=22, color=GREY, marker="v", label=label)
    if front.rows:
        x, y = [row.energy_uj for row in front.rows], [100 * row.worth for row in front.rows]
        below = [max(100 * (r.worth - r.validation.interval[0]), 0) for r in front.rows]
        above = [max(100 * (r.validation.interval[1] - r.worth), 0) for r in front.rows]
        axes.step(x, y, where="post", color=_BLUE, linewidth=1.4)
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
            label=f"front ({len(front.rows)}): expected, 95 % intervals",
        )
    axes.plot(
        [front.parent_energy_uj],
        [100 * front.parent.accuracy],
        "*",
        color=_BLACK,
        markersize=13,
        label="fine-tuned parent",
    )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(_minor))
    axes.set_xlabel("energy per inference [µJ]")
    axes.set_ylabel(f"validation {front.parent.name} [%]", parse_math=False)
    axes.set_title(
        f"{front.machine}: {bits_words(front)}" + (f"\n{front.data}" if front.data else ""),
        fontsize=10,
        parse_math=False,  # a dollar sign is one
    )
    axes.grid(visible=True, which="both", linewidth=0.4, alpha=0.4)
    axes.legend(fontsize=8, loc="best")
    figure.savefig(file, format="png")


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
            label=front.machine,
        )
    parents = [100 * front.parent.accuracy for front in fronts]
    label = "fine-tuned parent"
    axes.plot([100] * len(parents), parents, "*", color=_BLACK, markersize=13, label=label)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(_minor))
    axes.set_xlabel("energy per inference [% of the fine-tuned parent's]")
    expected = any(row.posterior for front in fronts for row in front.rows)
    by = ", expected by all trials" if expected else ""
    axes.set_ylabel(f"validation {fronts[0].parent.name} [%]{by}", parse_math=False)
    left = f"; {outside} members more than 10 points below the parent left out" if outside else ""
    axes.set_title(f"Fronts of {len(fronts)} machines{left}", fontsize=10, parse_math=False)
    axes.grid(visible=True, which="both", linewidth=0.4, alpha=0.4)
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(file, format="png")


def _xy(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    return [row.energy_uj for row in rows], [100 * row.validation.accuracy for row in rows]


def _minor(value: float, _: int) -> str:
    """Label 2 and 5 of every decade, so that a front within one decade has numbers."""
    first = f"{value:e}"[0]
    return f"{value:g}" if first in "25" else ""
