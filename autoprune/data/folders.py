"""Folders of this user's: of data sets' files, and of what can be made again."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """The folder of what can be made again, such as parents: AUTOPRUNE_CACHE, else the user's."""
    return Path(os.environ.get("AUTOPRUNE_CACHE") or user_cache_path("autoprune"))


def data_folder() -> Path:
    """The folder of data sets' files: AUTOPRUNE_DATA, else one in the user's cache."""
    return Path(os.environ.get("AUTOPRUNE_DATA") or user_cache_path("autoprune") / "data")
