"""Prepare a study: everything about it that can be wrong is found before anything trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from autoprune.compress.space import SearchSpace
from autoprune.config import to_toml
from autoprune.cost.model import CostModel
from autoprune.data.dataset import About
from autoprune.errors import CompressionError, CountingError, InputError
from autoprune.networks.key_map import load_key_map
from autoprune.networks.shape import NetworkShape
from autoprune.plugin import make_importable
from autoprune.search.warm_start import WarmStart
from autoprune.study.build import (
    build_network,
    describe_data,
    find_adapter,
    find_evaluation,
    find_training,
)
from autoprune.study.check import load_checked
from autoprune.study.identity import measured_bits
from autoprune.study.parent import load_published
from autoprune.study.study import Study
from autoprune.study.warm_start import read_warm_start
from autoprune.sweep.ray.loggers import check_packages
from autoprune.sweep.workers import Workers
from autoprune.trial.smoke_test import smoke_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A study of which everything was checked that can be before anything trains.

    Attributes:
        study, space, file: as loaded; the study's machines replaced by `machines`.
        text: the study as TOML, as it was read.
        machines: the cost models by name.
        about, shape: what its data and its network are, without reading or training anything.
        notes: what a user has to know about its parent.
        warm: what it begins with of another run.
        address: of the Ray cluster to run on; None where a Ray of our own is started.
        points: number of different configurations of the space.
    """

    study: Study
    space: SearchSpace
    file: Path
    text: str
    machines: dict[str, CostModel]
    about: About
    shape: NetworkShape
    notes: tuple[str, ...] = ()
    warm: WarmStart | None = None
    address: str | None = None

    @property
    def points(self) -> int:
        """Configurations that the space holds, before equal plans are told apart."""
        count = 1
        for domain in self.space.parameters(self.shape).values():
            count *= len(domain.all)
        return count


def prepare(
    given: str | Study,
    trials: int | None = None,
    workers: int | None = None,
    address: str | None = None,
) -> Prepared:
    """Load a study and check it, with trials, workers and Ray cluster of the command line.

    `given` is the name of a bundled study, a file, or a study that stands for a file `study.toml`
    of the current folder. The cluster is one that answers: see `autoprune.sweep.ray.address`.
    Raises InputError for anything that is wrong with the study, its space or its machines.
    """
    study, space, file, machines = load_checked(given)
    text = to_toml(given) if isinstance(given, Study) else file.read_text(encoding="utf-8")
    changes = {k: v for k, v in (("trials", trials), ("workers", workers)) if v is not None}
    study = _located(study.model_copy(update=changes), file)
    if study.workers > study.search.lag:
        given = f"given {study.search.lag}, with {study.workers} workers"
        raise InputError(f"{file}: search.lag", given, "at least as much as there are workers")
    Workers.of(study)  # raises where it cannot be
    check_packages(study.track, f"{file}: track")
    find_training(study)
    find_evaluation(study)
    about = describe_data(study)
    shape = _shape(study, space, about, str(file))
    space.uniform_points(shape, study.effort)
    return Prepared(
        study=study,
        space=space,
        file=file,
        text=text,
        machines=machines,
        about=about,
        shape=shape,
        notes=_notes(study),
        warm=_warm(study, space, shape, machines),
        address=address,
    )


def _located(study: Study, file: Path) -> Study:
    """The study with what lies beside its file: modules, and the checkpoint's path."""
    make_importable(file.parent)
    make_importable(Path())
    network = study.network
    if study.data.root is not None:
        root = str((file.parent / Path(study.data.root).expanduser()).resolve())
        study = study.model_copy(update={"data": study.data.model_copy(update={"root": root})})
    if study.warm_start is not None:
        root = str((file.parent / Path(study.warm_start).expanduser()).resolve())
        study = study.model_copy(update={"warm_start": root})
    if network.checkpoint is None:
        return study
    paths = {"checkpoint": network.checkpoint}
    if network.checkpoint_keys is not None and network.checkpoint_keys.endswith(".toml"):
        paths["checkpoint_keys"] = network.checkpoint_keys
    found = {k: str((file.parent / Path(p).expanduser()).resolve()) for k, p in paths.items()}
    network = network.model_copy(update=found)
    return study.model_copy(update={"network": network})


def _warm(
    study: Study, space: SearchSpace, shape: NetworkShape, machines: Mapping[str, CostModel]
) -> WarmStart | None:
    if study.warm_start is None:
        return None
    bits = measured_bits(machines)
    return read_warm_start(Path(study.warm_start), study, space, shape, bits)


def _shape(study: Study, space: SearchSpace, about: About, where: str) -> NetworkShape:
    """What the network offers; everything that can be wrong with it is found here."""
    network = build_network(study.network, about)
    adapter = find_adapter(study.network, network, about)
    if study.network.checkpoint is not None:
        load_published(study, network)
    try:
        domains = space.parameters(adapter.shape(network))
        samples = torch.rand(2, *about.shape, generator=torch.Generator().manual_seed(0))
        samples = samples.round() if len(about.shape) == 4 else samples
        return smoke_test(network, adapter, domains, study.effort, samples)
    except (AttributeError, CompressionError, CountingError) as error:
        raise InputError(f"{where}: network", str(error)) from error


def _notes(study: Study) -> tuple[str, ...]:
    """What does not stand in the study and a user has to know."""
    keys, notes = study.network.checkpoint_keys, []
    note = load_key_map(keys).note if keys is not None else ""
    if note:
        notes.append(f"Checkpoint by the map {keys}: {note}.")
    if study.compute.device == "cuda" and not torch.cuda.is_available():
        notes.append("The study computes on a GPU, and torch finds none here.")
    return tuple(notes)
