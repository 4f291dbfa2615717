"""What a run keeps in its folder: nothing that a command writes for its user takes its place."""

from __future__ import annotations

import os
from pathlib import Path

from autoprune.errors import InputError

OWN = frozenset(
    (
        *("study.json", "study.toml", "space.toml", "environments.json", "run.lock"),
        *("optuna.journal", "parent.safetensors", "recipe.json", "branches.csv", "fronts.png"),
        *("trials", "baselines", "confirmed", "recipe", "warm_start", "machines", "checkpoints"),
        *("fronts", "measured", "exports", "ended", "tensorboard", "mlflow.db"),
    )
)
"""Names of its files and folders; `autoprune.runs.folder` says what they hold."""


def refuse_own(file: Path) -> None:
    """InputError where `file` is one that a run keeps, or lies in a folder of one.

    A slip such as ``--out runs/digits/study.json`` would cost the whole run.
    """
    place = Path(os.path.realpath(file))
    for folder in place.parents:
        if (folder / "study.json").is_file() and place.relative_to(folder).parts[0] in OWN:
            raise InputError(str(file), "what a run keeps in its folder", "another name")
