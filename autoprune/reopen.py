"""The study of a run folder, as it was when the run began."""

from __future__ import annotations

from pathlib import Path

from autoprune.plugin import make_importable
from autoprune.run_folder import RunFolder
from autoprune.spec.study import Study
from autoprune.spec.toml import read_toml, validate


def recorded_study(folder: RunFolder) -> Study:
    """The run's copy of its study; a user's modules lay beside the original, or where we are.

    Raises RecordError where this is no run folder, and InputError where its study is damaged.
    """
    file = folder.path / "study.toml"
    for place in (folder.path, Path(folder.read_study().get("folder", "")), Path()):
        make_importable(place)
    study = validate(Study, read_toml(file), str(file))
    recorded = folder.read_study()["identity"]["data"]
    if study.data.root is None or not isinstance(recorded, dict):
        return study
    # relative to the study's first place, which only the record knows
    root = recorded.get("root", study.data.root)
    return study.model_copy(update={"data": study.data.model_copy(update={"root": root})})
