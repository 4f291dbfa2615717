"""Under what a study runs here, and what has changed since its run was last started."""

from __future__ import annotations

import torch

from autoprune.runs.environment import Environment, read_environments
from autoprune.runs.folder import RunFolder
from autoprune.sweep.prepare import Prepared


def environment(prepared: Prepared, folder: RunFolder) -> Environment:
    """Versions, processor, threads, seed and files with which the study runs here."""
    parts = prepared.built.parts
    on_gpu = parts.compute.spec.device == "cuda" and torch.cuda.is_available()
    return Environment.here(
        gpu=torch.cuda.get_device_name() if on_gpu else "",
        threads=parts.compute.threads,
        seed=parts.seed,
        files=prepared.texts,
        first_trial=len(folder.files(folder.trials)),
    )


def what_changed(prepared: Prepared, folder: RunFolder) -> list[str]:
    """Changes of versions, processor, threads and files since the last start, in words."""
    known = read_environments(folder.environments)
    return environment(prepared, folder).changes(known[-1]) if known else []
