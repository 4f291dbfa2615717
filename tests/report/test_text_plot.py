"""Every network of a front is drawn in its cell, and the axes say what they count in."""

from __future__ import annotations

import math

from hypothesis import given

from autoprune.report.plots.text import EMPTY, HEIGHT, WIDTH, cells, text_plot
from tests.strategies import PAIRS


def drawn(plot: str) -> dict[tuple[int, int], str]:
    """The marks of a plot by row and column."""
    rows = [line[8:] for line in plot.splitlines() if line[7:8] == "|"]
    return {
        (row, column): mark
        for row, line in enumerate(rows)
        for column, mark in enumerate(line)
        if mark != " "
    }


@given(PAIRS)
def test_every_network_is_drawn_in_its_cell_and_nothing_else(pairs) -> None:
    plot, places = text_plot(pairs, "accuracy"), cells(pairs)
    marks = drawn(plot)
    assert marks.keys() == set(places)
    for place, mark in marks.items():
        count = places.count(place)
        assert mark == ("o" if count == 1 else str(count) if count < 10 else "+")
    assert plot.replace("µ", "u").isascii()
    assert max(map(len, plot.splitlines())) <= 8 + WIDTH


@given(PAIRS)
def test_cells_are_where_the_values_say(pairs) -> None:
    """Within half a cell of the exact place, recomputed here from the labels' extremes."""
    places = cells(pairs)
    scores = [score for score, _ in pairs]
    logs = [math.log10(energy) for _, energy in pairs]
    for (score, energy), (row, column) in zip(pairs, places, strict=True):
        assert 0 <= row < HEIGHT and 0 <= column < WIDTH
        if max(scores) - min(scores) > 1e-9:
            exact = (HEIGHT - 1) * (max(scores) - score) / (max(scores) - min(scores))
            assert abs(row - exact) <= 0.5 + 1e-6
        if max(logs) - min(logs) > 1e-9:
            share = (math.log10(energy) - min(logs)) / (max(logs) - min(logs))
            assert abs(column - (WIDTH - 1) * share) <= 0.5 + 1e-6


def test_the_axes_fit_what_is_above_the_floor_and_the_rest_is_counted() -> None:
    front = [(0.9, 1.0), (0.95, 2.0), (0.97, 4.0)]
    *drawn, last = text_plot([(0.2, 0.01), *front], "accuracy", 0.85).splitlines()
    assert drawn == text_plot(front, "accuracy").splitlines()
    assert last.strip() == "1 below 85.0 % not drawn"
    alone = [(0.2, 0.01), (0.9, 1.0)]
    assert text_plot(alone, "accuracy", 0.85) == text_plot(alone, "accuracy"), "one is no front"


def test_the_whole_of_it() -> None:
    plot = text_plot([(0.5, 0.01), (0.75, 0.1), (0.9, 1.0), (0.9, 1.0), (0.975, 10.0)], "top2")
    assert plot.splitlines() == [
        "validation top2 %",
        "  97.5 |                                                           o",
        "       |                                       2",
        "       |",
        "       |                    o",
        "       |",
        "       |",
        "       |",
        "  50.0 |o",
        "       +" + "-" * WIDTH,
        "        0.0100                                                  10.0",
        "                  energy in µJ per inference, logarithmic",
    ]


def test_one_network_and_none() -> None:
    assert text_plot([], "accuracy") == EMPTY
    assert text_plot([(0.8, 3.0)], "accuracy").splitlines()[1:4] == [
        "  80.0 |o",
        "       +" + "-" * WIDTH,
        "        3.00",
    ]
