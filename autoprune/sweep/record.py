"""What a run is of, put into its folder before anything trains: record, study, machines."""

from __future__ import annotations

import secrets
from pathlib import Path

from autoprune.errors import InputError
from autoprune.files import write_text
from autoprune.runs.artifacts import Artifacts
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import machine_folders
from autoprune.runs.record import Places, RunRecord
from autoprune.study.study import SPACE_FILE
from autoprune.sweep.prepare import Prepared


def write_study(prepared: Prepared, folder: RunFolder) -> RunRecord:
    """Put down what the run is of: study, space, shape and machines, as they were read.

    The bits and integers in which its networks are measured stay those with which it began.
    """
    built = prepared.built
    known = folder.record if folder.study_file.is_file() else None
    folder.write_record(
        RunRecord(
            title=built.title,
            data=str(built.parts.data.about),
            trials=built.trials,
            shape=built.shape,
            effort=built.effort,
            weight_bits=known.weight_bits if known else built.weight_bits,
            arithmetics=known.arithmetics if known else built.arithmetics,
            folder=str(prepared.file.parent.resolve()),
            data_root=built.parts.data.spec.root,
            identity=built.identity,
            places=_places(prepared, known.places if known else Places()),
            machine_folders=machine_folders(built.machines),
        )
    )
    write_text(folder.path / "study.toml", prepared.texts["study"])
    if (space := prepared.texts.get(f"space {SPACE_FILE}")) is not None:
        write_text(folder.path / SPACE_FILE, space)
    for name in (known.machine_folders if known else {}).keys() - built.machines.keys():
        (folder.machines / f"{Path(name).name}.toml").unlink(missing_ok=True)
    for name in built.machines:
        write_text(folder.machines / f"{name}.toml", prepared.texts[f"machine {name}"])
    return folder.record


def _places(prepared: Prepared, known: Places) -> Places:
    """Where the run is besides its folder, settled on its first day; no two runs share a place.

    A new place on storage is marked as the run's before the run names it.
    """
    built, name = prepared.built, f"{prepared.file.stem}-{secrets.token_hex(4)}"
    asked, artifacts, mark = built.parts.compute.artifacts, known.artifacts, known.mark
    if asked is not None and artifacts is None:
        artifacts, mark = f"{asked.rstrip('/')}/{name}", secrets.token_hex(16)
        Artifacts(artifacts).claim(mark)
    elif asked is not None and not str(artifacts).startswith(f"{asked.rstrip('/')}/"):
        where = f"{prepared.file}: artifacts"
        raise InputError(where, f"given {asked!r}", f"{artifacts!r}, below which the run is")
    tracked = "mlflow" in built.track
    return Places(
        storage=built.storage,
        study=None if built.storage is None else known.study or name,
        artifacts=None if asked is None else artifacts,
        mark=None if asked is None else mark,
        mlflow=known.mlflow or (name if tracked else None),  # kept where it is not asked for now
    )
