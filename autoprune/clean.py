"""What a run folder holds that no front needs, and what a crash has left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.lock import sole_writer
from autoprune.outcome import Head
from autoprune.report.candidates import Candidates
from autoprune.run_folder import RunFolder
from autoprune.run_machines import run_machines
from autoprune.storage import PARTIAL


def off_the_fronts(folder: RunFolder, fronts: Iterable[Iterable[str]]) -> list[Path]:
    """Weights of networks whose keys are on none of the fronts."""
    keep = {folder.checkpoint(key) for front in fronts for key in front}
    return [file for file in sorted(folder.checkpoints.glob("*.safetensors")) if file not in keep]


def clean(path: Path, *, dry_run: bool = False) -> list[tuple[Path, int]]:
    """Remove weights off every front, and what dead workers and killed drivers have left.

    The record is not touched, and export trains a network again whose weights are gone.

    Returns the files with their sizes in bytes; nothing is removed with `dry_run`. Raises
    RecordError where this is no run folder, or another process writes to it.
    """
    folder = RunFolder(path)
    folder.read_study()
    with sole_writer(path):
        heads = folder.read_heads()
        fronts = [_members(folder, heads, model) for model in run_machines(folder)]
        files = off_the_fronts(folder, fronts)
        files += [*path.rglob(f"*{PARTIAL}"), *(path / "ended").glob("*")]
        found = [(file, file.stat().st_size) for file in files]
        for file in () if dry_run else files:
            file.unlink()
    return found


def _members(folder: RunFolder, heads: Sequence[Head], model: CostModel) -> list[str]:
    """Keys of the trials on a machine's front; none where it cannot price the network."""
    candidates = Candidates(model, folder.shape, folder.read)
    try:
        candidates.add(heads)
    except UnknownCost:
        return []
    return [member.key for member in candidates.members]
