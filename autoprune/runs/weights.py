"""The weights that a run keeps and the copies of its outcomes, in its folder or on storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from autoprune.runs.folder import RunFolder
from autoprune.trial.key import TrialKey

_ENDING = ".safetensors"


def weights_place(folder: RunFolder, key: TrialKey) -> Path | str:
    """Where a worker puts the weights of that trial or baseline: a file, or an address."""
    file = folder.checkpoint(key)
    if folder.artifacts is None:
        return file
    return f"{folder.artifacts.address}/{weights_name(folder, key)}"


def kept_weights(folder: RunFolder) -> dict[TrialKey, int]:
    """Bytes of the weights that were kept, by key."""
    if folder.artifacts is None:
        found = {f.name: f.stat().st_size for f in folder.checkpoints.glob(f"*{_ENDING}")}
    else:
        found = folder.artifacts.sizes(folder.checkpoints.name)
    named = [(TrialKey.named_by(name.removesuffix(_ENDING)), name) for name in sorted(found)]
    return {key: found[name] for key, name in named if key is not None}


def remove_weights(folder: RunFolder, key: TrialKey) -> None:
    """Remove weights that were kept."""
    if folder.artifacts is None:
        folder.checkpoint(key).unlink(missing_ok=True)
    else:
        folder.artifacts.remove(weights_name(folder, key))


@contextmanager
def weights_file(folder: RunFolder, key: TrialKey) -> Iterator[Path | None]:
    """While this lasts, a file with the weights of that key; None where they were not kept."""
    file = folder.checkpoint(key)
    if folder.artifacts is None:
        yield file if file.is_file() else None
    elif key not in kept_weights(folder):
        yield None
    else:
        with TemporaryDirectory() as scratch:
            copy = Path(scratch) / file.name
            folder.artifacts.get(weights_name(folder, key), copy)
            yield copy


def copy_missing(folder: RunFolder) -> None:
    """Copy to the storage the outcomes whose copies a crash has prevented."""
    if folder.artifacts is None:
        return
    for place in (folder.baselines, folder.trials, folder.confirmed, folder.recipe):
        there = folder.artifacts.sizes(place.name)
        for file in folder.files(place):
            if there.get(file.name) != file.stat().st_size:
                folder.artifacts.put(file, f"{place.name}/{file.name}")


def half_stored(folder: RunFolder) -> dict[str, int]:
    """What is half-written on the storage, with its bytes."""
    if folder.artifacts is None:
        return {}
    outcomes = (folder.trials, folder.baselines, folder.confirmed, folder.recipe)
    places = (*outcomes, folder.checkpoints)
    return {
        f"{place.name}/{name}": size
        for place in places
        for name, size in folder.artifacts.half_written(place.name).items()
    }


def remove_stored(folder: RunFolder, name: str) -> None:
    """Remove what `half_stored` names."""
    assert folder.artifacts is not None
    folder.artifacts.remove(name)


def weights_name(folder: RunFolder, key: TrialKey) -> str:
    """What the weights are called in the run or on its storage."""
    return f"{folder.checkpoints.name}/{folder.checkpoint(key).name}"
