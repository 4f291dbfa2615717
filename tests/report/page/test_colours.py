"""Contrasts of the page and of pictures, by WCAG 2.1: text 4.5 to 1 at least, marks 3 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autoprune.report.plots import figure, picture

PAGE = Path(figure.__file__).parents[1] / "page"
COLOUR = r"#[0-9a-f]{6}"


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def schemes() -> dict[str, dict[str, str]]:
    """The page's named colours, light and dark."""
    style = (PAGE / "page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    named = {"light": light, "dark": dark}
    return {k: dict(re.findall(rf"--(\w+): ({COLOUR})", text)) for k, text in named.items()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read(scheme) -> None:
    named = schemes()[scheme]
    for text in ("ink", "soft", "blue"):
        for ground in ("ground", "raised"):
            assert contrast(named[text], named[ground]) >= 4.5, (text, ground)
    script = (PAGE / "plots.js").read_text(encoding="utf-8")
    (cells,) = re.findall(r"^const cells = .*$", script, flags=re.MULTILINE)
    ink, *grounds = re.findall(COLOUR, cells)
    assert all(contrast(ink, ground) >= 4.5 for ground in grounds) and grounds
    marks = set(re.findall(COLOUR, script.replace(cells, "")))
    marks |= {colour for _, colour, _ in figure.MARKS.values()}
    assert len(marks) > 8
    for mark in {*marks, named["bar"], named["gone"]}:
        assert contrast(mark, named["ground"]) >= 3, mark


def test_pictures_can_be_read() -> None:
    for mark in (*picture.SERIES, picture.GREY):
        assert contrast(mark, "#ffffff") >= 3, mark
