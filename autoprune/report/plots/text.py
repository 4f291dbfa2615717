"""A front as a small plot of plain characters, for terminals, logs and 80 columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

WIDTH = 60
"""Columns of cells; with the labels at the left the plot is 68 wide."""
HEIGHT = 8
"""Rows of cells."""
EMPTY = "no network yet"


def text_plot(pairs: Sequence[tuple[float, float]], score: str) -> str:
    """Validation score against energy, lines of ASCII without a newline at the end.

    A network is an ``o``; several in a cell are their number, ``+`` from ten on. Axes end at the
    extremes of what is drawn. Energy is logarithmic; what needs none stands in a column of its
    own, left of the rest.

    Args:
        pairs: score, 0 to 1, and energy in µJ, not negative, of every network.
        score: its name.
    """
    if not pairs:
        return EMPTY
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
            *(f"{'':>8}{line}" for line in _axis([energy for _, energy in pairs])),
        )
    )


def cells(pairs: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Row from above and column of every network, in the order given."""
    priced = [energy for _, energy in pairs if energy > 0]
    # Two columns part what needs no energy from what does: a logarithm has no place for zero.
    first = 2 if len(priced) < len(pairs) else 0
    scores = [score for score, _ in pairs]
    found = []
    for score, energy in pairs:
        row = HEIGHT - 1 - _place(score, min(scores), max(scores), HEIGHT - 1)
        column = 0
        if energy > 0:
            low, high = math.log10(min(priced)), math.log10(max(priced))
            column = first + _place(math.log10(energy), low, high, WIDTH - 1 - first)
        found.append((row if max(scores) > min(scores) else 0, column))
    return found


def _place(value: float, low: float, high: float, last: int) -> int:
    """The cell from 0 to `last` of a value between two extremes; 0 where they are one."""
    return round(last * (value - low) / (high - low)) if high > low else 0


def _row(counts: Counter[tuple[int, int]], row: int) -> str:
    marks = (counts[row, column] for column in range(WIDTH))
    return "".join(" " if not n else "o" if n == 1 else str(n) if n < 10 else "+" for n in marks)


def _axis(energies: Sequence[float]) -> Iterator[str]:
    """The labels below the plot."""
    priced = [energy for energy in energies if energy > 0]
    left = "0 " if len(priced) < len(energies) else ""
    right = ""
    if priced:
        left += f"{min(priced):.3g}"
        right = f"{max(priced):.3g}" if max(priced) > min(priced) else ""
    yield f"{left}{right:>{WIDTH - len(left)}}".rstrip()
    yield "energy in uJ per inference, logarithmic".center(WIDTH).rstrip()
