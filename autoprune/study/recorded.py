"""The study of a run folder, as it was when the run began."""

from __future__ import annotations

from pathlib import Path

from autoprune.config import read_toml, validate
from autoprune.plugin import make_importable, refuse_code
from autoprune.runs.folder import RunFolder
from autoprune.study.study import Study


def runnable_study(folder: RunFolder) -> Study:
    """The run's copy of its study, to train with; a user's modules lie where they lay then.

    Raises what `recorded_study` raises, and InputError where it names code that may not be
    imported; see `RunFolder`.
    """
    study = recorded_study(folder)
    named = {
        "data.name": study.data.name,
        "network.model": study.network.model,
        "network.adapter": study.network.adapter,
        "functions.train": study.functions.train,
        "functions.evaluate": study.functions.evaluate,
    }
    for key, name in named.items():
        if not folder.imports:
            refuse_code(name or "", f"{folder.path / 'study.toml'}: {key}")
    for place in (folder.path, Path(folder.record.folder), Path()):
        make_importable(place)
    return study


def recorded_study(folder: RunFolder) -> Study:
    """The run's copy of its study.

    Raises RecordError where this is no run folder, and InputError where its study is damaged.
    """
    file = folder.path / "study.toml"
    study, root = validate(Study, read_toml(file), str(file)), folder.record.data_root
    if study.data.root is None or root is None:
        return study
    # relative to the study's first place, which only the record knows
    return study.model_copy(update={"data": study.data.model_copy(update={"root": root})})
