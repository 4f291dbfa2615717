"""What the networks of a run folder are made with, as it was when the run began."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autoprune.config import read_toml, validate
from autoprune.errors import InputError
from autoprune.plugin import make_importable, refuse_code
from autoprune.runs.artifacts import refuse_storage
from autoprune.runs.folder import RunFolder
from autoprune.study.parts import Parts, find_parts
from autoprune.study.study import Study, check_names, use_methods
from autoprune.trial.spec import FinetuneSpec


def recorded_parts(folder: RunFolder) -> Parts:
    """What the run's networks are made with, to train again; see `RunFolder` for the user's code.

    Raises RecordError where this is no run folder, and InputError where its study is damaged, or
    names code that may not be imported or is not there, or storage that may not be opened.
    """
    study, file = _recorded_study(folder), folder.path / "study.toml"
    if not folder.imports:
        for key, name in study.code.items():
            refuse_code(name, f"{file}: {key}")
        if study.artifacts is not None:
            refuse_storage(study.artifacts, f"{file}: artifacts")
    if study.code:
        for place in (Path(folder.record.folder), Path()):
            make_importable(place)  # a user's modules lie where they lay then
    use_methods(study, file, imports=folder.imports)
    try:
        parts, _ = find_parts(study, None if folder.imports else _bytes(folder.parent))
    except InputError as error:
        raise InputError(str(file), str(error)) from error
    return parts


def _bytes(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _recorded_study(folder: RunFolder) -> Study:
    """The run's copy of its study."""
    root, file = folder.record.data_root, folder.path / "study.toml"
    study = validate(Study, read_toml(file), str(file))
    check_names(study, file)
    if study.finetune.learning_rate is None:  # the record has what the run has chosen
        chosen = folder.record.identity.get("finetune")
        given = chosen if isinstance(chosen, Mapping) else {}
        finetune = validate(FinetuneSpec, given, f"{folder.study_file}: identity.finetune")
        study = study.model_copy(update={"finetune": finetune})
    if study.data.root is None or root is None:
        return study
    # relative to the study's first place, which only the record knows
    return study.model_copy(update={"data": study.data.model_copy(update={"root": root})})
