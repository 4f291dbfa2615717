"""Run a prepared study: everything up to the fronts in the run folder."""

from __future__ import annotations

import secrets
from pathlib import Path

import torch
from torch import nn

from autoprune.config import find_file
from autoprune.data.dataset import Dataset
from autoprune.errors import InputError
from autoprune.files import write_text
from autoprune.networks.checkpoint import save_weights
from autoprune.runs.artifacts import Artifacts
from autoprune.runs.budget import parse_budgets
from autoprune.runs.environment import Environment, read_environments, record_environment
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import sole_writer
from autoprune.runs.machines import machine_folders
from autoprune.runs.metrics import charges, metric_value, split_metric
from autoprune.runs.outcome import Outcome
from autoprune.runs.record import Identity, Places, RunRecord
from autoprune.runs.weights import copy_missing
from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.samplers import distributions
from autoprune.search.scheduler import Scheduler
from autoprune.search.storages import open_database, open_journal
from autoprune.search.task import Task
from autoprune.search.warm_start import WarmStart, keep, kept
from autoprune.study.build import check_device, load_data, make_setup
from autoprune.study.identity import check_identity, identity, measured_bits
from autoprune.study.parent import find_parent, load_parent
from autoprune.study.study import Study
from autoprune.sweep.execute import execute
from autoprune.sweep.limits import Budgets
from autoprune.sweep.prepare import Prepared
from autoprune.sweep.progress import Finished, Observer, Tracker
from autoprune.sweep.ray.loggers import Loggers
from autoprune.sweep.stop import Stop
from autoprune.sweep.workers import Workers
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup


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
        weight_bits = folder.record.weight_bits
        check_identity(folder.record.identity, _identity(prepared), str(path))
    if study.artifacts is not None:
        Artifacts(study.artifacts).check()
    database = open_database(study.storage) if study.storage is not None else None
    data = load_data(study)
    with sole_writer(path) as hold:
        write_study(prepared, folder, weight_bits)
        tracking = Loggers(study.track, folder)
        record_environment(folder.environments, environment(prepared, folder))
        parent = _parent(study, data, folder, observer)
        warm = _take_over(prepared.warm, folder)
        setup = make_setup(study, data, parent, weight_bits)
        tracker = Tracker(prepared.machines, prepared.shape, study.trials, folder, observer)
        known = tracker.recover()
        copy_missing(folder)
        tracking.catch_up()
        if database is None:
            place = StudyPlace(storage=open_journal(folder.journal))
        else:
            assert folder.record.places.study is not None  # settled on the run's first day
            place = StudyPlace(storage=database, study=folder.record.places.study)
        record = _record(prepared, place)
        task = _task(prepared, setup, warm)

        def observe(outcome: Outcome) -> None:
            tracker.observe(outcome)
            tracking.log(outcome)

        scheduler = Scheduler(task, record, folder, observe, known)
        tracker.scheduler = scheduler
        tracker.start()
        execute(scheduler, setup, Workers.of(study, address=prepared.address), hold, stop)
        return tracker.finish()


def environment(prepared: Prepared, folder: RunFolder) -> Environment:
    """Under what the study runs here."""
    study, file = prepared.study, prepared.file
    paths = {f"space {study.space}": find_file("search_spaces", study.space, file.parent)}
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


def _identity(prepared: Prepared) -> Identity:
    return identity(prepared.study, prepared.space, prepared.machines)


def write_study(prepared: Prepared, folder: RunFolder, weight_bits: tuple[int, ...]) -> None:
    """Put down what the run is of: study, space, shape and machines, as they were read.

    `weight_bits` are those at which its networks are measured.
    """
    known = folder.record if folder.study_file.is_file() else None
    folder.write_record(
        RunRecord(
            title=prepared.study.title,
            data=str(prepared.about),
            trials=prepared.study.trials,
            shape=prepared.shape,
            effort=prepared.study.effort,
            weight_bits=weight_bits,
            folder=str(prepared.file.parent.resolve()),
            data_root=prepared.study.data.root,
            identity=_identity(prepared),
            places=_places(prepared, known.places if known else Places()),
            machine_folders=machine_folders(prepared.machines),
        )
    )
    write_text(folder.path / "study.toml", prepared.text)
    names = {f"{name}.toml" for name in prepared.machines}
    for file in folder.machines.glob("*.toml"):
        if file.name not in names:
            file.unlink()
    for name, model in prepared.machines.items():
        source = Path(model.machine.where)
        write_text(folder.machines / f"{name}.toml", source.read_text(encoding="utf-8"))


def _places(prepared: Prepared, known: Places) -> Places:
    """Where the run is besides its folder, settled on its first day; no two runs share a place.

    A new place on storage is marked as the run's before the run names it.
    """
    study, name = prepared.study, f"{prepared.file.stem}-{secrets.token_hex(4)}"
    artifacts = known.artifacts
    if study.artifacts is not None and artifacts is None:
        artifacts = f"{study.artifacts.rstrip('/')}/{name}"
        Artifacts(artifacts).claim()
    tracked = "mlflow" in study.track
    return Places(
        storage=study.storage,
        study=None if study.storage is None else known.study or name,
        artifacts=None if study.artifacts is None else artifacts,
        mlflow=known.mlflow or (name if tracked else None),  # kept where it is not asked for now
    )


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


def _record(prepared: Prepared, place: StudyPlace) -> OptunaStudy:
    study = prepared.study
    return OptunaStudy(
        place,
        directions=[
            "maximize" if split_metric(m)[0] == study.functions.score else "minimize"
            for m in study.objectives
        ],
        names=study.objectives,
        space=distributions(prepared.space.parameters(prepared.shape)),
        lag=study.search.lag,
    )


def _task(prepared: Prepared, setup: Setup, warm: WarmStart | None) -> Task:
    study, space, shape = prepared.study, prepared.space, prepared.shape
    limits = Budgets(parse_budgets(study.budgets, "budgets"), prepared.machines, setup)

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
