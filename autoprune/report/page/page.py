"""The page as one HTML text: template, style, script, plotly's own script, and the data."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import plotly.offline


def render(values: dict[str, Any]) -> str:
    """The page of what `autoprune.report.page.gather.gather` returns.

    Text of a user's comes into the page only as JSON in which every ``<`` is escaped, and the
    script sets it as text; so nothing of it can become markup.
    """
    data = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    parts = {
        "@STYLE@": _read("page.css"),
        "@DATA@": data.replace("<", "\\u003c"),
        "@PLOTLY@": plotly.offline.get_plotlyjs(),
        "@SCRIPT@": _read("page.js"),
    }
    page = _read("page.html")
    for place, text in parts.items():
        head, found, tail = page.partition(place)
        assert found, place
        parts[place], page = head + text, tail
    return "".join(parts.values()) + page


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
