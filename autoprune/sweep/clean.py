"""What a run folder holds that no front needs, and what a crash has left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.files import half_written
from autoprune.report.front.candidates import Candidates
from autoprune.runs import exports
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer
from autoprune.runs.machines import run_machines
from autoprune.runs.outcome import Head
from autoprune.runs.weights import (
    half_stored,
    kept_weights,
    remove_stored,
    remove_weights,
    weights_name,
)
from autoprune.sweep.watchdog import leftovers
from autoprune.trial.key import FINE_TUNED, TrialKey


def off_the_fronts(folder: RunFolder, fronts: Iterable[Iterable[TrialKey]]) -> dict[TrialKey, int]:
    """Weights of networks whose keys are on none of the fronts, and their bytes.

    Those of the fine-tuned parent are kept: everything is compared with it, also in time.
    """
    keep = {FINE_TUNED, *(key for front in fronts for key in front)}
    return {key: size for key, size in kept_weights(folder).items() if key not in keep}


def clean(folder: RunFolder, *, dry_run: bool = False) -> list[tuple[str, int]]:
    """Remove weights off every front, and what dead workers, drivers and exports have left.

    The Optuna study is not touched, and export trains a network again whose weights are gone.

    Returns the files, as they are called in the run, with their sizes in bytes; nothing is removed
    with `dry_run`. Raises RecordError where another process writes to the run, and InputError
    where a machine's code may not be imported; see `RunFolder`.
    """
    path = folder.path
    with sole_writer(path):
        heads = folder.read_heads()
        weights = off_the_fronts(folder, [_members(folder, heads, m) for m in run_machines(folder)])
        files = [*half_written(path), *leftovers(path / "ended")]
        found = [(weights_name(folder, key), size) for key, size in weights.items()]
        found += [(str(file.relative_to(path)), file.stat().st_size) for file in files]
        half_made = exports.left(folder)
        found += [(str(part), exports.size(part)) for _, part in half_made]
        stored = half_stored(folder)
        found += stored.items()
        if not dry_run:
            for name in stored:
                remove_stored(folder, name)
            for key in weights:
                remove_weights(folder, key)
            for file in files:
                file.unlink()
            for note, part in half_made:
                exports.remove(note, part)
    return found


def _members(folder: RunFolder, heads: Sequence[Head], model: CostModel) -> list[TrialKey]:
    """Keys of what was trained on a machine's front; none where it cannot price the network."""
    candidates = Candidates(model, folder.record.shape, folder.read)
    try:
        candidates.add(heads)
    except UnknownCost:
        return []
    return [member.trained_as for member in candidates.members]
