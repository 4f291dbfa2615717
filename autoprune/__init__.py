"""autoprune: hardware-aware search for compressed spiking transformers.

`run(study)` runs a study and opens the run, `open_run(path)` opens a recorded one: fronts and
trials as data frames, a pick, a figure. `check(what)` checks what you wrote.
`Study`, `Space` and `Machine` are a study, its search space and a machine without files.
`load(folder)` loads an exported network, `profile(network, inputs)` counts any network.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    "Machine": "autoprune.cost.machine:Machine",
    "Space": "autoprune.compress.space:SearchSpace",
    "Study": "autoprune.study.study:Study",
    "check": "autoprune.api:check",
    "load": "autoprune.deploy.load:load",
    "open_run": "autoprune.api:open_run",
    "profile": "autoprune.workload.census.profile:profile",
    "run": "autoprune.api:run",
}

__all__ = ["Machine", "Space", "Study", "check", "load", "open_run", "profile", "run"]


def __dir__() -> list[str]:
    """What there is, also what was not asked for yet, and no means of ours: Tab shows it."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


def __getattr__(name: str) -> Any:
    """What `__all__` names, imported when it is asked for: torch takes seconds."""
    if name in _PLACES:
        module, _, own = _PLACES[name].partition(":")
        return getattr(importlib.import_module(module), own)
    raise AttributeError(f"module 'autoprune' has no attribute {name!r}")
