"""autoprune: hardware-aware search for compressed spiking transformers."""

from __future__ import annotations

from typing import Any

__all__ = ["load", "profile"]


def __getattr__(name: str) -> Any:
    """`load` and `profile`, imported when they are asked for: torch takes seconds."""
    if name == "load":
        from autoprune.export.load import load

        return load
    if name == "profile":
        from autoprune.census.profile import profile

        return profile
    raise AttributeError(f"module 'autoprune' has no attribute {name!r}")
