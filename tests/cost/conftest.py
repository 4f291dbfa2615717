"""Published figures: checked by tests, and noted for the pages in docs/machines."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

NOTES = "AUTOPRUNE_ORACLES"
"""Environment variable: the file to which checked figures are added, a JSON object per line."""

WENT_IN = ("shapes", "densities", "spikes", "prices", "capacities")
"""All that may go into what is compared with a published figure. Where anything published between
these and the figure goes in, such as a count, a time or a number of bits, no test calls it one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that checks a published figure bears the marker ``oracle``."""
    for item in items:
        if "oracle" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.oracle)


@pytest.fixture
def oracle(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Asserts that ours is the published figure; the test's docstring is its source.

    `went_in` says what ours was computed from, in words of WENT_IN.
    """

    def check(
        family: str,
        what: str,
        ours: float,
        published: float,
        *,
        went_in: str,
        unit: str = "",
        rel: float = 0.0,
        abs: float = 0.0,
    ) -> None:
        ours = float(ours)
        assert set(went_in.split(", ")) <= set(WENT_IN), f"{what}: {went_in} went in"
        assert ours == pytest.approx(published, rel=rel, abs=abs), what
        if NOTES in os.environ:
            row = {
                "family": family,
                "what": what,
                "ours": ours,
                "published": published,
                "unit": unit,
                "went_in": went_in,
                "tolerance": f"{rel:g} relative" if rel else f"{abs:g}" if abs else "exact",
                "source": " ".join((inspect.getdoc(request.function) or "").split()),
                "test": request.function.__name__,
            }
            with Path(os.environ[NOTES]).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    return check
