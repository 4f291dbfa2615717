"""Run a prepared study: everything up to the fronts in the run folder."""

from __future__ import annotations

import dataclasses
import secrets
from pathlib import Path

import torch
from torch import nn

from autoprune.artifacts import Artifacts
from autoprune.bench import (
    check_device,
    find_parent,
    load_data,
    load_parent,
    make_bench,
)
from autoprune.data.dataset import Dataset
from autoprune.environment import Environment, read_environments, record_environment
from autoprune.errors import InputError
from autoprune.identity import check_identity, identity, measured_bits
from autoprune.limits import Limits
from autoprune.lock import sole_writer
from autoprune.measurement import Measurement
from autoprune.metrics import charges, metric_value
from autoprune.models.checkpoint import save_weights
from autoprune.outcome import Outcome
from autoprune.prepare import Prepared
from autoprune.run_folder import RunFolder
from autoprune.run_machines import machine_folders
from autoprune.run_weights import copy_missing
from autoprune.search.conductor import Conductor
from autoprune.search.database import open_database
from autoprune.search.journal import open_journal
from autoprune.search.record import Place, Record
from autoprune.search.samplers import distributions
from autoprune.search.task import Task
from autoprune.spec.budget import parse_budgets
from autoprune.spec.bundled import find
from autoprune.spec.study import Study, split_metric
from autoprune.storage import write_text
from autoprune.sweep.carry_out import carry_out
from autoprune.sweep.crew import Crew
from autoprune.sweep.stop import Stop
from autoprune.sweep.tracking import Tracking
from autoprune.tracker import Finished, Observer, Tracker
from autoprune.trial import Bench
from autoprune.warm_start import WarmStart, keep, kept


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
        copy_missing(folder)
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
    """Where the run is besides its folder, settled on its first day; no two runs share a place.

    A new place on storage is marked as the run's before the run names it.
    """
    study, name = prepared.study, f"{prepared.file.stem}-{secrets.token_hex(4)}"
    places = {} if study.storage is None else {"record": name}
    if study.artifacts is not None:
        places["artifacts"] = f"{study.artifacts.rstrip('/')}/{name}"
    known = folder.read_study() if folder.study_file.is_file() else {}
    if "artifacts" in places and not known.get("artifacts"):
        Artifacts(places["artifacts"]).claim()
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
