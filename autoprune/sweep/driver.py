"""Run a prepared study: everything up to the fronts in the run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import nn

from autoprune.data.dataset import Dataset
from autoprune.errors import InputError, RecordError
from autoprune.networks.checkpoint import save_weights
from autoprune.runs.artifacts import Artifacts
from autoprune.runs.environment import record_environment
from autoprune.runs.folder import RunFolder, refuse_foreign
from autoprune.runs.lock import sole_writer
from autoprune.runs.metrics import split_metric
from autoprune.runs.outcome import Outcome
from autoprune.runs.recipe import ChosenRates, read_chosen
from autoprune.runs.weights import copy_missing
from autoprune.search.block_response import calibration
from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.samplers import distributions
from autoprune.search.scheduler import Scheduler
from autoprune.search.standing import NOTHING_YET, Standing
from autoprune.search.storages import open_database, open_journal
from autoprune.search.task import Task
from autoprune.search.warm_start import WarmStart, keep, kept
from autoprune.study.build import Built
from autoprune.study.identity import check_identity
from autoprune.study.parent import find_parent, load_parent
from autoprune.study.parts import Parts, data_notes, load_data, make_setup, recipe
from autoprune.study.recipe import leaves_out, recipe_task, with_rates
from autoprune.sweep.environment import environment
from autoprune.sweep.execute import execute
from autoprune.sweep.finished import Finished
from autoprune.sweep.goals import StudyGoals
from autoprune.sweep.prepare import Prepared
from autoprune.sweep.progress import Observer
from autoprune.sweep.ray.loggers import Loggers
from autoprune.sweep.recipe import choose, rate_doubts
from autoprune.sweep.record import write_study
from autoprune.sweep.stop import Stop
from autoprune.sweep.tested import evaluate_tests
from autoprune.sweep.tracker import Tracker
from autoprune.sweep.workers import Hire, Workers
from autoprune.trial.setup import Setup


def run(prepared: Prepared, path: Path, observer: Observer, stop: Stop | None = None) -> Finished:
    """Run the study in the folder `path`, or go on with it there, until it is done or `stop`.

    Raises RecordError where the folder is in use, not writable or damaged, or storage that the
    study names cannot be used, and InputError where it belongs to another study, the data are not
    there, a GPU is not, or MLflow's server does not answer; then nothing in it was changed that
    was measured.
    """
    folder = RunFolder(path, imports=True)  # of the very study that was given
    prepared.built.parts.compute.check_device()
    refuse_foreign(folder)
    built, chosen = _as_chosen(prepared.built, folder)
    parts = built.parts
    if parts.compute.artifacts is not None:
        Artifacts(parts.compute.artifacts).check()
    database = open_database(built.storage) if built.storage is not None else None
    data = load_data(parts)
    with sole_writer(path) as hold:
        record = write_study(replace(prepared, built=built), folder)
        tracking = Loggers(built.track, folder)
        record_environment(folder.environments, environment(prepared, folder))
        notes = data_notes(parts, data)
        parent = _parent(parts, data, folder, observer, notes.append)
        warm = _take_over(prepared.warm, folder)
        tiles = any(model.PRODUCT_SPARSITY for model in built.machines.values())
        plain = make_setup(
            parts,
            data,
            parent,
            record.weight_bits,
            arithmetics=record.arithmetics,
            product_sparsity=tiles,
        )
        setup = replace(plain, readings=built.readings)
        workers = Workers.of(parts.compute, Hire(address=prepared.address))
        tracker = Tracker(built.machines, built.shape, built.trials, folder, observer)
        heads = tracker.recover()
        known = {head.key: head.ended for head in heads}
        plans = {head.key.number: head.plan.hash for head in heads}
        del heads  # of many trials they are large
        copy_missing(folder)
        tracking.catch_up()
        if leaves_out(built):
            wanted = recipe_task(built)
            chosen = choose(wanted, folder, plain, workers, hold, stop, observer.tuning)
            if chosen is None:
                return tracker.finish(NOTHING_YET, [])
            built = with_rates(built, chosen.rates)
            write_study(replace(prepared, built=built), folder)
            setup = replace(setup, recipe=recipe(built.parts.finetune, parts.compute.spec))
        if chosen is not None:
            observer.recipe(chosen)
            notes += chosen.doubts
        if database is None:
            study = run_journal(folder, partial(_optuna_study, built, plans))
        else:
            assert folder.record.places.study is not None  # settled on the run's first day
            place = StudyPlace(storage=database, study=folder.record.places.study)
            study = _optuna_study(built, plans, place)
        task = _task(built, setup, warm)

        def observe(outcome: Outcome, standing: Standing | None) -> None:
            tracker.observe(outcome, standing)
            tracking.log(outcome)

        scheduler = Scheduler(task, study, folder, observe, known)
        tracker.announce(scheduler.standing)
        stop = stop or Stop()
        with stop.listening():  # what was measured is to have its fronts
            execute(scheduler, setup, workers, hold, stop)
            hold.check()
            threads = parts.compute.threads
            doubts, tested = evaluate_tests(folder, setup, threads, tracker.members, stop)
            found = tracker.finish(scheduler.standing, scheduler.trials)
            folder.write_record(
                replace(folder.record, calibration=calibration(study.trials, built.objectives))
            )
        notes += doubts
        if chosen is None:
            notes += rate_doubts(built, found)
        return replace(
            found,
            warnings=[*notes, *found.warnings],
            interrupted=found.interrupted or not tested,
        )


def _as_chosen(built: Built, folder: RunFolder) -> tuple[Built, ChosenRates | None]:
    """The study with the learning rates that its run has chosen, and these, where it has.

    Raises InputError where the folder's run is of another study.
    """
    chosen = read_chosen(folder.chosen_rates) if leaves_out(built) else None
    found = built if chosen is None else with_rates(built, chosen.rates)
    # Killed as soon as the rates were chosen, the run's record is without them.
    if folder.study_file.is_file() and folder.record.identity != built.identity:
        check_identity(folder.record.identity, found.identity, str(folder.path))
    return found, chosen


def run_journal(folder: RunFolder, open_study: Callable[[StudyPlace], OptunaStudy]) -> OptunaStudy:
    """What is in the journal; a damaged one is set aside, since the trials make it anew."""
    try:
        return open_study(StudyPlace(storage=open_journal(folder.journal)))
    except RecordError:
        folder.put_aside(folder.journal)
        return open_study(StudyPlace(storage=open_journal(folder.journal)))


def _parent(
    parts: Parts,
    data: Dataset,
    folder: RunFolder,
    observer: Observer,
    say: Callable[[str], None],
) -> nn.Module:
    """The run's own copy of the parent, made on its first day."""
    if not folder.parent.is_file():
        epochs = parts.parent.epochs if parts.parent else 0
        network = find_parent(parts, data, lambda epoch: observer.training(epoch, epochs), say)
        save_weights(network, folder.parent)
    return load_parent(parts, folder.parent)


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


def _optuna_study(built: Built, plans: Mapping[int, str], place: StudyPlace) -> OptunaStudy:
    return OptunaStudy(
        place,
        directions=[
            "maximize" if split_metric(m)[0] == built.score else "minimize"
            for m in built.objectives
        ],
        names=built.objectives,
        space=distributions(built.space.parameters(built.shape)),
        lag=built.search.lag,
        plans=plans,
    )


def _task(built: Built, setup: Setup, warm: WarmStart | None) -> Task:
    return Task(
        space=built.space,
        shape=built.shape,
        effort=built.effort,
        seed=built.parts.seed,
        search=built.search,
        trials=built.trials,
        goals=StudyGoals(built, setup),
        warm=warm,
    )
