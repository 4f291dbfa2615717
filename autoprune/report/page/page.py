"""The page as one HTML text: template, style, script, plotly's own script, and the data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files

import plotly.offline

from autoprune.config import Json

SCRIPTS = ("parts.js", "plots.js", "trials.js", "page.js")
"""One script in the page, in this order."""


def render(values: Mapping[str, Json]) -> str:
    """The page of what `autoprune.report.page.gather.gather` returns.

    Text of a user's comes into the page only as JSON in which every ``<`` is escaped, and the
    script sets it as text; so nothing of it can become markup.
    """
    data = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    parts = {
        "@STYLE@": _read("page.css"),
        "@DATA@": data.replace("<", "\\u003c"),
        "@SCRIPT@": "\n".join(map(_read, SCRIPTS)),
        "@PLOTLY@": _unwrapped(plotly.offline.get_plotlyjs()),
    }
    page = _read("page.html")
    for place, text in parts.items():
        head, found, tail = page.partition(place)
        assert found, place
        parts[place], page = head + text, tail
    return "".join(parts.values()) + page


def _unwrapped(script: str) -> str:
    """Plotly's script without the function around it that serves other ways of loading it.

    A browser would read what is in that function twice before it runs: 0.3 s of 1.8 s. A script
    that is laid out otherwise is left as it is.
    """
    found = re.fullmatch(
        r"(/\*.*?\*/).*?(\"use strict\";var Plotly=.*)return Plotly;\s*}.*", script, re.DOTALL
    )
    return "\n".join(found.groups()) if found else script


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
