"""A front as a small plot of plain characters, for terminals, logs and 80 columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from autoprune.report.units import EnergyUnit

WIDTH = 60
"""Columns of cells; with the labels at the left the plot is 68 wide."""
HEIGHT = 8
"""Rows of cells."""
EMPTY = "no network yet"


def text_plot(pairs: Sequence[tuple[float, float]], score: str, floor: float | None = None) -> str:
    """Validation score against energy, in lines without a newline at the end.

    A network is an ``o``; several in a cell are their number, ``+`` from ten on. Axes end at the
    extremes of what is drawn. Energy is logarithmic, in the unit that a table of all pairs has.

    Args:
        pairs: score, 0 to 1, and energy in µJ, more than 0, of every network.
        score: its name.
        floor: a score; where two networks or more are above it, the others are only counted.
    """
    if not pairs:
        return EMPTY
    unit = EnergyUnit.of(energy for _, energy in pairs)
    above = [pair for pair in pairs if floor is not None and pair[0] > floor]
    if floor is None or not 2 <= len(above) < len(pairs):
        return _drawn(pairs, score, unit)
    left = f"{len(pairs) - len(above)} below {100 * floor:.1f} % not drawn"
    return f"{_drawn(above, score, unit)}\n{left.center(WIDTH + 8).rstrip()}"


def _drawn(pairs: Sequence[tuple[float, float]], score: str, unit: EnergyUnit) -> str:
    counts = Counter(cells(pairs))
    scores = [100 * score for score, _ in pairs]
    labels = {0: f"{max(scores):.1f}", HEIGHT - 1: f"{min(scores):.1f}"}
    return "\n".join(
        (
            f"validation {score} %",
            *(
                f"{labels.get(row, ''):>6} |{_row(counts, row)}".rstrip()
                for row in range(HEIGHT)
                if row == 0 or len(set(scores)) > 1
            ),
            f"{'':>6} +{'-' * WIDTH}",
            *(f"{'':>8}{line}" for line in _axis([energy for _, energy in pairs], unit)),
        )
    )


def cells(pairs: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Row from above and column of every network, in the order given."""
    scores, logs = [score for score, _ in pairs], [math.log10(energy) for _, energy in pairs]
    found = []
    for score, log in zip(scores, logs, strict=True):
        row = HEIGHT - 1 - _place(score, min(scores), max(scores), HEIGHT - 1)
        column = _place(log, min(logs), max(logs), WIDTH - 1)
        found.append((row if max(scores) > min(scores) else 0, column))
    return found


def _place(value: float, low: float, high: float, last: int) -> int:
    """The cell from 0 to `last` of a value between two extremes; 0 where they are one."""
    return round(last * (value - low) / (high - low)) if high > low else 0


def _row(counts: Counter[tuple[int, int]], row: int) -> str:
    marks = (counts[row, column] for column in range(WIDTH))
    return "".join(" " if not n else "o" if n == 1 else str(n) if n < 10 else "+" for n in marks)


def _axis(energies: Sequence[float], unit: EnergyUnit) -> Iterator[str]:
    """The labels below the plot."""
    left = unit.digits(min(energies))
    right = unit.digits(max(energies)) if max(energies) > min(energies) else ""
    yield f"{left}{right:>{WIDTH - len(left)}}".rstrip()
    yield f"energy in {unit.name} per inference, logarithmic".center(WIDTH).rstrip()
