"""The error of an export whose proof failed."""

from __future__ import annotations

from autoprune.errors import AutopruneError


class ExportError(AutopruneError):
    """An exported network is not the one that was searched; its folder was removed."""
