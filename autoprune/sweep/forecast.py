"""Forecast: what a run costs, from its data and from small trials timed on this computer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Final

import torch

from autoprune.compress.configuration import make_plan
from autoprune.compress.uniform import uniform_sweep
from autoprune.data.dataset import Dataset
from autoprune.data.split import some_of
from autoprune.errors import AbsentDataError, InputError
from autoprune.search.baselines import baseline_configurations
from autoprune.study.build import Built
from autoprune.study.parts import data_notes, load_data, make_setup
from autoprune.study.recipe import leaves_out, recipe_task
from autoprune.trial.measurement import Measurement, Seconds
from autoprune.trial.setup import Setup
from autoprune.trial.trial import run_trial

_COUNTS: Final = (2, 16, 128)
"""Samples of the timed trials, one after the other; the first is slow for all that is new in it."""
_SLOW_S: Final = 2.0
"""Processor time of a trial after which no larger one is timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expense:
    """Trainings of a kind.

    Attributes:
        what: they are. number: of them. seconds: that each takes a worker; None where unknown.
    """

    what: str
    number: int
    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a run costs where nothing is done yet.

    Attributes:
        parameters: of the parent.
        samples: by part of the data, and of them those of fine-tuning and of scoring where these
            take fewer; empty where the data are not there.
        expenses: in the order of the run, the parent first.
        workers: trials at a time.
        timed: samples of the trial that was timed; 0 where none was.
        not_held: machines whose integers do not hold the parent, untrained, and why.
        unknown: why something is not known; empty where all is.
        notes: what one should know of the data, in words.
    """

    parameters: int
    samples: tuple[tuple[str, int], ...]
    expenses: tuple[Expense, ...]
    workers: int
    timed: int
    not_held: tuple[tuple[str, str], ...]
    unknown: str
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float | None:
        """Minutes of the run: the parent alone, then as many trials at a time as there are workers.

        None where it is not known.
        """
        parent, *rest = self.expenses
        each = [one.number * one.seconds for one in rest if one.seconds is not None]
        if parent.seconds is None or len(each) < len(rest):
            return None
        return parent.number * parent.seconds + sum(each) / max(1, self.workers)


def forecast(built: Built) -> Forecast:
    """What a run of the study costs; its data are read, and a trial on few of them is timed.

    Raises InputError where the data are there and cannot be used, or are fewer than the study says.
    """
    data, timed, tried, unknown = None, 0, None, ""
    try:
        data = load_data(built.parts)
    except AbsentDataError as error:
        unknown = str(error)
    else:
        timed, tried, unknown = _tried(built, data)
    return Forecast(
        parameters=sum(p.numel() for p in built.parts.architecture.build().parameters()),
        samples=() if data is None else _samples(built, data),
        expenses=_expenses(built, *_seconds(built, data, timed, tried)),
        workers=built.parts.compute.workers,
        timed=timed,
        not_held=() if tried is None else tuple(_not_held(built, tried)),
        unknown=unknown,
        notes=() if data is None else tuple(data_notes(built.parts, data)),
    )


def _not_held(built: Built, tried: Measurement) -> Iterator[tuple[str, str]]:
    for name, model in built.machines.items():
        own = model.machine.arithmetic
        yield from ((name, one.cause) for one in tried.refused if one.arithmetic == own)


def _tried(built: Built, data: Dataset) -> tuple[int, Measurement | None, str]:
    """As `_timed`, and why nothing was, in words."""
    try:
        return *_timed(built, data), ""
    except InputError as error:
        return 0, None, str(error)
    except Exception as error:  # noqa: BLE001 - a user's functions may raise anything
        return 0, None, f"a trial of few samples raised {type(error).__name__}: {error}"


def _samples(built: Built, data: Dataset) -> tuple[tuple[str, int], ...]:
    parts = {part: len(getattr(data, part)) for part in ("train", "validation", "test")}
    if built.parts.finetune.samples is not None:
        parts["fine-tuning"] = _finetuned(built, data)
    if built.parts.measure.validation_samples is not None:
        parts["scoring"] = _scored(built, data)
    return tuple(parts.items())


def _finetuned(built: Built, data: Dataset) -> int:
    """Training samples that a trial takes."""
    return min(built.parts.finetune.samples or len(data.train), len(data.train))


def _scored(built: Built, data: Dataset) -> int:
    """Validation samples by which a trial is scored."""
    return min(built.parts.measure.validation_samples or len(data.validation), len(data.validation))


def _expenses(
    built: Built, parent: float | None, trial: float | None, tests: float | None
) -> tuple[Expense, ...]:
    """What there is to train; baselines, unlike trials, are evaluated on test data as they come."""
    space, shape = built.space, built.shape
    trained = built.parts.network.checkpoint is None
    rates = recipe_task(built).least_trainings if leaves_out(built) else 0
    uniform = min(len(uniform_sweep(space, shape, built.effort)), built.trials)
    numbers = {
        "learning rates": rates,
        "baselines": 1 + len(baseline_configurations(shape)),
        "uniform sweep": uniform,
        "proposals": built.trials - uniform,
    }
    tested = None if trial is None or tests is None else trial + tests
    rest = (
        Expense(what=what, number=number, seconds=tested if what == "baselines" else trial)
        for what, number in numbers.items()
        if number
    )
    return (Expense(what="parent", number=int(trained), seconds=parent if trained else 0.0), *rest)


def _seconds(
    built: Built, data: Dataset | None, timed: int, tried: Measurement | None
) -> tuple[float | None, float | None, float | None]:
    """Seconds of the parent's training, a trial, and test data, as so many samples took.

    None if none did.
    """
    if data is None or tried is None:
        return None, None, None
    spent = tried.seconds
    step = spent.training / timed
    epochs = built.parts.parent.epochs if built.parts.parent else 0
    trial = (
        step * _finetuned(built, data) * built.effort.epochs
        + spent.evaluation * _scored(built, data) / timed
        + spent.census * built.parts.measure.census_samples / timed
    )
    return step * len(data.train) * epochs, trial, spent.evaluation * len(data.test) / timed


def _timed(built: Built, data: Dataset) -> tuple[int, Measurement]:
    """Samples of a trial, and what it measured, with the time that it takes if nothing else runs.

    The largest trial that is not too slow.
    """
    built.parts.compute.check_device()
    parent = built.parts.architecture.build().to(built.parts.compute.spec.device)
    plain = make_setup(built.parts, data, parent, built.weight_bits, arithmetics=built.arithmetics)
    setup = replace(plain, readings=built.readings)
    most = min(_COUNTS[-1], len(data.train), len(data.validation))
    tried, timed = None, 0
    with _threads(built.parts.compute.threads):
        for count in dict.fromkeys(min(count, most) for count in _COUNTS):
            begin, wall = time.process_time(), time.perf_counter()
            tried, timed = _trial(built, setup, count), count
            own, wall = time.process_time() - begin, time.perf_counter() - wall
            if own > _SLOW_S:
                break
    assert tried is not None
    if setup.device == "cpu" and own < wall:  # others had the processor for the rest of the time
        spent = asdict(tried.seconds)
        scaled = Seconds(**{name: took * own / wall for name, took in spent.items()})
        tried = replace(tried, seconds=scaled)
    return timed, tried


def _trial(built: Built, setup: Setup, count: int) -> Measurement:
    """What a trial on so many samples measures."""
    data, seed = setup.data, built.parts.seed
    few = replace(
        setup,
        data=replace(
            data,
            train=some_of(data.train, count, seed),
            validation=some_of(data.validation, count, seed),
        ),
        recipe=replace(setup.recipe, batch_size=count),
        batch_norm_batches=1,
        batch_norm_batch_size=max(2, count // 16),  # little beside the step that is to be timed
        census_samples=count,
    )
    plan = make_plan({}, built.shape, replace(built.effort, epochs=1, learning_rate=1e-6))
    return run_trial(few, plan, seed)[0]


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """So many of torch's threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
