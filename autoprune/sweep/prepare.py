"""Prepare a study: everything about it that can be wrong is found before anything trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from os.path import realpath
from pathlib import Path

import torch

from autoprune.config import find_file, to_toml
from autoprune.cost.machine import Machine
from autoprune.errors import InputError
from autoprune.files import read_text, user_path
from autoprune.networks.key_map import load_key_map
from autoprune.plugin import make_importable
from autoprune.search.warm_start import WarmStart
from autoprune.study.build import Built, build
from autoprune.study.check import Checked, load_checked
from autoprune.study.compute import Compute
from autoprune.study.recipe import leaves_out, recipe_task
from autoprune.study.study import SPACE_FILE, Study
from autoprune.study.warm_start import read_warm_start
from autoprune.sweep.ray.loggers import check_packages
from autoprune.sweep.workers import Hire, Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A study of which everything was checked that can be before anything trains.

    Attributes:
        built: the study with all that it names.
        file: where it lies. texts: as they were read, ``study``, ``space NAME`` and
            ``machine NAME`` for each of its machines; of what is a value as its file would be.
        notes: what a user has to know about its parent.
        warm: what it begins with of another run.
        address: of the Ray cluster to run on; None where a Ray of our own is started.
    """

    built: Built
    file: Path
    texts: Mapping[str, str]
    notes: tuple[str, ...] = ()
    warm: WarmStart | None = None
    address: str | None = None


def prepare(
    given: str | Study,
    trials: int | None = None,
    workers: int | None = None,
    address: str | None = None,
) -> Prepared:
    """Load a study, check it, build it, with trials, workers and Ray cluster of the command line.

    `given` is the name of a bundled study, a file, or a study that stands for a file `study.toml`
    of the current folder. The cluster is one that answers: see `autoprune.sweep.ray.address`.
    Raises InputError for anything that is wrong with the study, its space or its machines.
    """
    checked = load_checked(given)
    text = to_toml(given.in_files) if isinstance(given, Study) else read_text(checked.file)
    texts = {"study": text, **_texts(checked)}
    changes = {k: v for k, v in (("trials", trials), ("workers", workers)) if v is not None}
    study = _located(checked.study.model_copy(update=changes), checked.file)
    _check_workers(study, checked.file)
    Workers.of(Compute.of(study), Hire(address=address)).check_here()
    built = build(replace(checked, study=study))
    if leaves_out(built):
        recipe_task(built)  # raises where it cannot be chosen
    warm = study.warm_start
    return Prepared(
        built=built,
        file=checked.file,
        texts=texts,
        notes=_notes(study),
        warm=None if warm is None else read_warm_start(Path(warm), built),
        address=address,
    )


def _texts(checked: Checked) -> dict[str, str]:
    """The files of space and machines; of values what they would be."""
    space, machines = checked.study.space, checked.study.machines
    values = {m.name for m in machines if isinstance(m, Machine)}
    if isinstance(space, str):
        file = find_file("search_spaces", space, checked.file.parent)
        texts = {f"space {space}": read_text(file)}
    else:
        texts = {f"space {SPACE_FILE}": to_toml(space)}
    for name, model in checked.machines.items():
        machine = model.machine
        text = machine.to_toml() if name in values else read_text(Path(machine.where))
        texts[f"machine {name}"] = text
    return texts


def _located(study: Study, file: Path) -> Study:
    """The study with what lies beside its file: modules, and the checkpoint's path."""
    if study.code:
        make_importable(file.parent)
        make_importable(Path())
    network = study.network
    if study.data.root is not None:
        root = realpath(file.parent / user_path(study.data.root, f"{file}: data.root"))
        study = study.model_copy(update={"data": study.data.model_copy(update={"root": root})})
    if study.warm_start is not None:
        root = realpath(file.parent / user_path(study.warm_start, f"{file}: warm_start"))
        study = study.model_copy(update={"warm_start": root})
    if network.checkpoint is None:
        return study
    paths = {"checkpoint": network.checkpoint}
    if network.checkpoint_keys is not None and network.checkpoint_keys.endswith(".toml"):
        paths["checkpoint_keys"] = network.checkpoint_keys
    found = {
        k: realpath(file.parent / user_path(p, f"{file}: network.{k}")) for k, p in paths.items()
    }
    network = network.model_copy(update=found)
    return study.model_copy(update={"network": network})


def _check_workers(study: Study, file: Path) -> None:
    """InputError where its trials cannot be carried out or tracked as it asks."""
    if study.workers > study.search.lag:
        given = f"given {study.search.lag}, with {study.workers} workers"
        raise InputError(f"{file}: search.lag", given, "at least as much as there are workers")
    Workers.of(Compute.of(study))  # raises where it cannot be
    check_packages(study.track, f"{file}: track")


def _notes(study: Study) -> tuple[str, ...]:
    """What does not stand in the study and a user has to know."""
    keys, notes = study.network.checkpoint_keys, []
    note = load_key_map(keys).note if keys is not None else ""
    if note:
        notes.append(f"Checkpoint by the map {keys}: {note}.")
    if study.compute.device == "cuda" and not torch.cuda.is_available():
        notes.append("The study computes on a GPU, and torch finds none here.")
    return tuple(notes)
