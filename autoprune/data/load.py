"""What is known of a data set without its files, and its samples.

The module of a data set has ``OPTIONS``, ``about(spec, root)`` and ``load(spec, root, seed)``.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from autoprune.data.dataset import About, Dataset
from autoprune.data.spec import DATA_SETS, DataSpec
from autoprune.errors import InputError


def about(spec: DataSpec, base: Path) -> About:
    """What is known of a data set.

    Args:
        spec: as in the study.
        base: what its root is relative to.

    Raises InputError for a setting that the data set does not have.
    """
    found: About = _module(spec).about(spec, root_of(spec, base))
    return found


def load(spec: DataSpec, base: Path, seed: int) -> Dataset:
    """The data set; `seed` splits it.

    Raises InputError where its files are not there, not readable, or too few.
    """
    found: Dataset = _module(spec).load(spec, root_of(spec, base), seed)
    return found


def root_of(spec: DataSpec, base: Path) -> Path:
    """The folder of a data set's files: the study's, else AUTOPRUNE_DATA, else the user's cache."""
    if spec.root is not None:
        return base / Path(spec.root).expanduser()
    folder = os.environ.get("AUTOPRUNE_DATA")
    return Path(folder) if folder else user_cache_path("autoprune") / "data"


def _module(spec: DataSpec) -> Any:
    module = import_module(f"autoprune.data.{DATA_SETS.get(spec.name, 'own')}")
    for option in ("frames", "side"):
        if getattr(spec, option) is not None and option not in module.OPTIONS:
            raise InputError(f"data {spec.name}", f"it has no {option} to set")
    return module
