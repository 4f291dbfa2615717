"""Run a study: everything between the study's file and the fronts in the run folder."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from autoprune.artifacts import Artifacts
from autoprune.bench import (
    build_network,
    check_device,
    describe_data,
    find_adapter,
    find_evaluation,
    find_parent,
    find_training,
    load_data,
    load_parent,
    load_published,
    make_bench,
)
from autoprune.check import load_checked
from autoprune.cost.model import CostModel
from autoprune.data.dataset import About, Dataset
from autoprune.environment import Environment, read_environments, record_environment
from autoprune.errors import CompressionError, CountingError, InputError
from autoprune.identity import check_identity, identity, measured_bits
from autoprune.limits import Limits
from autoprune.lock import sole_writer
from autoprune.measurement import Measurement
from autoprune.metrics import charges, metric_value
from autoprune.models.checkpoint import save_weights
from autoprune.models.key_map import load_key_map
from autoprune.outcome import Outcome
from autoprune.plugin import make_importable
from autoprune.rehearsal import rehearse
from autoprune.run_folder import RunFolder
from autoprune.run_machines import machine_folders
from autoprune.search.conductor import Conductor
from autoprune.search.database import open_database
from autoprune.search.journal import open_journal
from autoprune.search.record import Place, Record
from autoprune.search.samplers import distributions
from autoprune.search.task import Task
from autoprune.shape import NetworkShape
from autoprune.spec.budget import parse_budgets
from autoprune.spec.bundled import find
from autoprune.spec.space import SearchSpace
from autoprune.spec.study import Study, split_metric
from autoprune.spec.toml import to_toml
from autoprune.storage import write_text
from autoprune.sweep.carry_out import carry_out
from autoprune.sweep.crew import Crew
from autoprune.sweep.stop import Stop
from autoprune.sweep.tracking import Tracking, check_packages
from autoprune.tracker import Finished, Observer, Tracker
from autoprune.trial import Bench
from autoprune.warm_start import WarmStart, keep, kept, read_warm_start


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
    of the current folder. The cluster is one that answers: see `autoprune.sweep.address`. Raises
    InputError for anything that is wrong with the study, its space or its machines.
    """
    study, space, file, machines = load_checked(given)
    text = to_toml(given) if isinstance(given, Study) else file.read_text(encoding="utf-8")
    changes = {k: v for k, v in (("trials", trials), ("workers", workers)) if v is not None}
    study = _located(study.model_copy(update=changes), file)
    if study.workers > study.search.lag:
        given = f"given {study.search.lag}, with {study.workers} workers"
        raise InputError(f"{file}: search.lag", given, "at least as much as there are workers")
    Crew.of(study)  # raises where it cannot be
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
        return rehearse(network, adapter, domains, study.effort, samples)
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


def run(prepared: Prepared, path: Path, observer: Observer, stop: Stop | None = None) -> Finished:
    """Run the study in the folder `path`, or go on with it there, until it is done or `stop`.

    Raises RecordError where the folder is in use, not writable or damaged, or storage that the
    study names cannot be used, and InputError where it belongs to another study, the data are not
    there, a GPU is not, or MLflow's server does not answer; then nothing in it was changed that
    was measured.
    """
    folder = RunFolder(path)
    study = prepared.study
    check_device(study.compute)
    weight_bits = measured_bits(prepared.machines)
    if folder.study_file.is_file():
        recorded = folder.read_study()["identity"]
        weight_bits = tuple(recorded["weight_bits"])
        check_identity(recorded, _identity(prepared, weight_bits), str(path))
    if study.artifacts is not None:
        Artifacts(study.artifacts).check()
    database = open_database(study.storage) if study.storage is not None else None
    data = load_data(study)
    with sole_writer(path) as hold:
        write_study(prepared, folder, weight_bits)
        tracking = Tracking(study.track, folder)
        record_environment(folder.environments, environment(prepared, folder))
        parent = _parent(study, data, folder, observer)
        warm = _take_over(prepared.warm, folder)
        bench = make_bench(study, data, parent, weight_bits)
        tracker = Tracker(prepared.machines, prepared.shape, study.trials, folder, observer)
        known = tracker.recover()
        folder.copy_missing()
        tracking.catch_up()
        if database is None:
            place = Place(storage=open_journal(folder.journal))
        else:
            place = Place(storage=database, study=folder.read_study()["record"])
        record = _record(prepared, place)
        task = _task(prepared, bench, warm)

        def observe(outcome: Outcome) -> None:
            tracker.observe(outcome)
            tracking.log(outcome)

        conductor = Conductor(task, record, folder, observe, known)
        tracker.conductor = conductor
        tracker.start()
        carry_out(conductor, bench, Crew.of(study, address=prepared.address), hold, stop)
        return tracker.finish()


def environment(prepared: Prepared, folder: RunFolder) -> Environment:
    """Under what the study runs here."""
    study, file = prepared.study, prepared.file
    paths = {f"space {study.space}": find("search_spaces", study.space, file.parent)}
    paths |= {f"machine {name}": Path(m.machine.where) for name, m in prepared.machines.items()}
    on_gpu = study.compute.device == "cuda" and torch.cuda.is_available()
    return Environment.here(
        gpu=torch.cuda.get_device_name() if on_gpu else "",
        threads=study.threads,
        seed=study.seed,
        files={
            "study": prepared.text,
            **{name: path.read_text(encoding="utf-8") for name, path in paths.items()},
        },
        first_trial=len(list(folder.trials.glob("*.parquet"))),
    )


def what_changed(prepared: Prepared, folder: RunFolder) -> list[str]:
    """Of versions, processor, threads and files since the run was last started, in words."""
    known = read_environments(folder.environments)
    return environment(prepared, folder).changes(known[-1]) if known else []


def _identity(prepared: Prepared, weight_bits: tuple[int, ...]) -> dict[str, object]:
    return identity(prepared.study, prepared.space, prepared.machines, weight_bits)


def write_study(prepared: Prepared, folder: RunFolder, weight_bits: tuple[int, ...]) -> None:
    """Put down what the run is of: study, space, shape and machines, as they were read.

    `weight_bits` are those at which its networks are measured.
    """
    folder.write_study(
        {
            "title": prepared.study.title,
            "data": str(prepared.about),
            "folder": str(prepared.file.parent.resolve()),
            "identity": _identity(prepared, weight_bits),
            "shape": dataclasses.asdict(prepared.shape),
            "machine_folders": machine_folders(prepared.machines),
            "trials": prepared.study.trials,
            **_places(prepared, folder),
        }
    )
    write_text(folder.path / "study.toml", prepared.text)
    names = {f"{name}.toml" for name in prepared.machines}
    for file in folder.machines.glob("*.toml"):
        if file.name not in names:
            file.unlink()
    for name, model in prepared.machines.items():
        source = Path(model.machine.where)
        write_text(folder.machines / f"{name}.toml", source.read_text(encoding="utf-8"))


def _places(prepared: Prepared, folder: RunFolder) -> dict[str, str]:
    """Where the run is besides its folder, settled on its first day; no two runs share a place."""
    study, name = prepared.study, f"{prepared.file.stem}-{secrets.token_hex(4)}"
    places = {} if study.storage is None else {"record": name}
    if study.artifacts is not None:
        places["artifacts"] = f"{study.artifacts.rstrip('/')}/{name}"
    known = folder.read_study() if folder.study_file.is_file() else {}
    if "mlflow" in (*study.track, *known):  # kept where it is not asked for now
        places["mlflow"] = name
    return {key: known.get(key) or place for key, place in places.items()}


def _parent(study: Study, data: Dataset, folder: RunFolder, observer: Observer) -> nn.Module:
    """The run's own copy of the parent, made on its first day."""
    if not folder.parent.is_file():
        epochs = study.parent.epochs if study.parent else 0
        network = find_parent(study, data, lambda epoch: observer.training(epoch, epochs))
        save_weights(network, folder.parent)
    return load_parent(study, data, folder.parent)


def _take_over(warm: WarmStart | None, folder: RunFolder) -> WarmStart | None:
    """What the run begins with, as it was on its first day.

    Raises InputError where the other run's trials are to be this one's, and its parent is another.
    """
    found = kept(folder.warm_start)
    if warm is None or found is not None:
        return found
    other = RunFolder(Path(warm.source)).parent
    if warm.kind == "measured" and other.read_bytes() != folder.parent.read_bytes():
        raise InputError(f"warm_start: {warm.source}", "its parent has other weights", "the same")
    keep(warm, folder.warm_start)
    return warm


def _record(prepared: Prepared, place: Place) -> Record:
    study = prepared.study
    return Record(
        place,
        directions=[
            "maximize" if split_metric(m)[0] == study.functions.score else "minimize"
            for m in study.objectives
        ],
        names=study.objectives,
        space=distributions(prepared.space.parameters(prepared.shape)),
        lag=study.search.lag,
    )


def _task(prepared: Prepared, bench: Bench, warm: WarmStart | None) -> Task:
    study, space, shape = prepared.study, prepared.space, prepared.shape
    limits = Limits(parse_budgets(study.budgets, "budgets"), prepared.machines, bench)

    def objectives(measurement: Measurement) -> list[float]:
        return [metric_value(m, measurement, prepared.machines) for m in study.objectives]

    return Task(
        space=space,
        shape=shape,
        effort=study.effort,
        seed=study.seed,
        sampler=study.search.sampler,
        lag=study.search.lag,
        trials=study.trials,
        metrics=study.objectives,
        score=study.functions.score,
        objectives=objectives,
        charges=lambda measurement: charges(measurement, prepared.machines),
        excess=limits.of,
        known_excess=limits.known,
        stop_below=study.search.stop_below,
        warm=warm,
    )
