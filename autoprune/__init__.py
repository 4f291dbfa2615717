"""autoprune: hardware-aware search for compressed spiking transformers.

`run(study)` runs a study and opens the run, `open_run(path)` opens a recorded one: fronts and
trials as data frames, a pick, a figure. `check(what)` checks what you wrote.
`load(folder)` loads an exported network, `profile(network, inputs)` counts any network.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    "check": "autoprune.api",
    "load": "autoprune.deploy.load",
    "open_run": "autoprune.api",
    "profile": "autoprune.workload.census.profile",
    "run": "autoprune.api",
}

__all__ = ["check", "load", "open_run", "profile", "run"]


def __dir__() -> list[str]:
    """What there is, also what was not asked for yet: Tab shows it."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """The functions of `__all__`, imported when they are asked for: torch takes seconds."""
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'autoprune' has no attribute {name!r}")
