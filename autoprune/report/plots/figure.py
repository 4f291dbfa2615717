"""The front of a machine as a plotly figure: every trial tells its plan under the pointer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape  # plotly takes some tags in labels, links among them

import plotly.graph_objects as go

from autoprune.report.front.front import MachineFront, Row
from autoprune.report.plots.fit import Fit
from autoprune.report.tables.front_notes import bits_words

MARKS = {
    "sampled": ("sampled", "#808080", "circle"),
    "uniform": ("uniform", "#d55e00", "triangle-up"),
    "warm": ("of the run begun with", "#808080", "triangle-down"),
    "baseline": ("parent, or a part removed", "#808080", "square"),
}
"""Words, colour and shape by origin: Okabe and Ito's palette, as in the picture of a front."""

_BLUE = "#0072b2"
_AT = [digit * 10.0**power for power in range(-9, 12) for digit in (1, 2, 5)]
_TICKS = {"tickvals": _AT, "ticktext": [f"{value:g}" for value in _AT]}
"""1, 2 and 5 of every decade: plotly's own labels of a log axis lack the decade."""


def front_figure(front: MachineFront) -> go.Figure:
    """Validation score in percent against energy in microjoules, the front with 95 % intervals."""
    figure = go.Figure()
    for origin, (name, colour, symbol) in MARKS.items():
        rows = [row for row in front.points if row.origin == origin]
        if rows:
            marker = {"color": colour, "symbol": symbol, "size": 8}
            figure.add_scatter(
                **_points(rows, [row.validation.accuracy for row in rows]),
                name=f"{name} ({len(rows)})",
                mode="markers",
                marker=marker,
            )
    if front.rows:
        scores = [(row.worth, *row.validation.interval) for row in front.rows]
        figure.add_scatter(
            **_points(front.rows, [own for own, _, _ in scores]),
            name=f"front ({len(front.rows)}): expected, 95 % intervals",
            mode="lines+markers",
            line={"color": _BLUE, "shape": "hv"},
            marker={"color": _BLUE, "symbol": "circle-open", "size": 13},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [max(100 * (high - own), 0) for own, _, high in scores],
                "arrayminus": [max(100 * (own - low), 0) for own, low, _ in scores],
            },
        )
    figure.add_scatter(
        x=[front.parent_energy_uj],
        y=[100 * front.parent.accuracy],
        name="fine-tuned parent",
        mode="markers",
        marker={"color": "black", "symbol": "star", "size": 13},
        hovertemplate="fine-tuned parent<br>%{x:.4g} µJ, %{y:.1f} %<extra></extra>",
    )
    fit = Fit.of(front)
    outside = f"<br>{fit.outside} networks lie outside the axes" if fit and fit.outside else ""
    across = {"range": [math.log10(end) for end in fit.energy_uj]} if fit else {}
    up = {"range": [100 * end for end in fit.score]} if fit else {}
    figure.update_layout(
        title=f"{escape(front.machine)}: {bits_words(front)}{outside}",
        xaxis={"type": "log", "title": "energy per inference [µJ]", **_TICKS, **across},
        yaxis={"title": f"validation {escape(front.parent.name)} [%]", **up},
        template="plotly_white",
    )
    return figure


def _points(rows: Sequence[Row], scores: Sequence[float]) -> dict[str, object]:
    return {
        "x": [row.energy_uj for row in rows],
        "y": [100 * score for score in scores],
        "customdata": [[row.trial, escape(row.plan)] for row in rows],
        "hovertemplate": (
            "trial %{customdata[0]}<br>%{x:.4g} µJ, %{y:.1f} %<br>%{customdata[1]}<extra></extra>"
        ),
    }
