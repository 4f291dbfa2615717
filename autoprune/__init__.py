"""autoprune: hardware-aware search for compressed spiking transformers."""

from __future__ import annotations

from typing import Any

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """`autoprune.load`, imported when it is asked for: it needs torch, which takes seconds."""
    if name == "load":
        from autoprune.export.load import load

        return load
    raise AttributeError(f"module 'autoprune' has no attribute {name!r}")
