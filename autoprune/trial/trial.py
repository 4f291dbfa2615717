"""A trial: plan -> Measurement.

Compress, fine-tune, re-estimate batch norm, round; evaluate and count at the bits of every machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import astuple, replace

import torch
from torch import nn

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.plan import Plan
from autoprune.compress.surgery import batch_norm
from autoprune.compress.surgery.apply import Manner, finish, reshape, subject_of, thin, training
from autoprune.compress.surgery.integers.convert import Held, in_integers
from autoprune.compress.surgery.rounding import rounded
from autoprune.compress.surgery.surgery import Subject, matrices
from autoprune.data.dataset import Split
from autoprune.errors import InputError
from autoprune.networks.inputs import present
from autoprune.trial.measurement import Measurement, Precision, Reading, Refused, Score, Seconds
from autoprune.trial.own_score import own_score
from autoprune.trial.setup import Setup
from autoprune.trial.stopped import is_readable, stopped
from autoprune.trial.training import batches, correct
from autoprune.workload.census.count import count


class Clock:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.spent = {"training": 0.0, "evaluation": 0.0, "census": 0.0}
        self.start = time.perf_counter()

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Add what passes in here to `what`."""
        begin = time.perf_counter()
        yield
        self.spent[what] += time.perf_counter() - begin

    def seconds(self) -> Seconds:
        """All of it; what was spent on nothing in particular is ``other``."""
        whole = time.perf_counter() - self.start
        return Seconds(**self.spent, other=whole - sum(self.spent.values()))


def run_trial(
    setup: Setup, plan: Plan, seed: int, *, test: bool = False
) -> tuple[Measurement, nn.Module]:
    """Carry out `plan` on the parent and measure the result; returns the network beside it.

    Test data are evaluated where `test` says so: they decide nothing, and cost as much as the rest.

    A plan without epochs is neither fine-tuned nor, where it is neutral, re-estimated. The network
    has weights of the plan's bits; for a machine of fewer they are rounded only while it is
    measured.
    """
    clock = Clock()
    torch.manual_seed(seed)
    calibration = setup.data.train.inputs(slice(setup.census_samples)).to(setup.device)
    manner = Manner(options=setup.options, samples=calibration, seed=seed)
    model = reshape(setup.parent, plan, setup.adapter, manner)
    trains = plan.effort.epochs > 0
    subject = subject_of(model, setup.adapter, manner, trains=trains)
    with clock.on("training"):
        thin(subject, plan)
        if trains:
            _compensate(setup, subject, plan, seed)
        if trains or not _is_parent(plan):
            size, number = setup.batch_norm_batch_size, setup.batch_norm_batches
            batch_norm.reestimate(model, batches(setup.data.train, size, number, seed))
    finish(subject, plan)
    own = plan.weight_bits
    fewer = {bits for bits in setup.weight_bits if bits < own}
    bits = [own, *sorted(fewer, reverse=True)]
    held, refused = held_by(setup, model.eval(), own)
    precisions = measure(setup, model, bits, held, test=test, clock=clock)
    readings = tuple(
        read_after(setup, model, steps, bits, held, test=test, clock=clock)
        for steps in setup.readings
        if is_readable(setup, plan.effort.time_steps, steps)
    )
    kept = sum(int(torch.count_nonzero(m.weight)) for m in matrices(model, setup.adapter))
    measurement = Measurement(
        plan=plan,
        seed=seed,
        precisions=precisions,
        parameters=sum(int(torch.count_nonzero(p)) for p in model.parameters()),
        kept_weights=kept / setup.adapter.shape(setup.parent).block_weights,
        seconds=clock.seconds(),
        readings=readings,
        refused=refused,
    )
    return measurement, model


def with_one_shot(setup: Setup, measurement: Measurement) -> Measurement:
    """A measurement with the score that its network has without fine-tuning, and its time."""
    plan = measurement.plan
    still = replace(plan, effort=replace(plan.effort, epochs=0, learning_rate=0.0))
    alone = replace(setup, weight_bits=(), arithmetics=(), readings=())
    early, spent = run_trial(alone, still, measurement.seed)[0], measurement.seconds
    took = spent.evaluation + sum(astuple(early.seconds))
    return replace(measurement, one_shot=early.validation, seconds=replace(spent, evaluation=took))


def held_by(
    setup: Setup, model: nn.Module, bits: int, arithmetics: Sequence[Arithmetic] | None = None
) -> tuple[list[Held], tuple[Refused, ...]]:
    """A network, with weights of so many bits, in the integers of machines, and why not in others.

    Those of the setup where `arithmetics` are None.
    """
    found, refused = [], []
    inputs = present(model, setup.data.validation.inputs(slice(3)).to(setup.device))
    for one in setup.arithmetics if arithmetics is None else arithmetics:
        own = min(bits, one.weight_bits)
        try:
            found.append(in_integers(model, setup.adapter, one, own, inputs))
        except InputError as error:  # what cannot be held is not measured so
            cause = str(error).removeprefix("arithmetic: ").removeprefix("--fold: ")
            refused.append(Refused(arithmetic=one, cause=cause))
    return found, tuple(refused)


def measure(  # noqa: PLR0913 - what is measured, in which numbers, and where its time goes
    setup: Setup,
    model: nn.Module,
    bits: Sequence[int],
    held: Sequence[Held] = (),
    *,
    test: bool,
    clock: Clock | None = None,
) -> tuple[Precision, ...]:
    """Scores and operations of a network as it is, with its weights rounded, and in integers.

    It stays as it is.

    Args:
        setup: what to measure on.
        model: on the setup's device.
        bits: those that its weights have, then those to round them to.
        held: it as machines hold it.
        test: whether test data are evaluated, too.
        clock: is told where the time went.
    """
    clock, found = clock or Clock(), []
    for place, size in enumerate(bits):
        with rounded(model, size) if place else nullcontext():
            found.append(_precision(setup, model, size, test=test, clock=clock))
    for one in held:
        own = _precision(setup, one.network, one.bits, test=test, clock=clock)
        found.append(replace(own, arithmetic=one.arithmetic))
    return tuple(found)


def _precision(setup: Setup, model: nn.Module, bits: int, *, test: bool, clock: Clock) -> Precision:
    """A network as it is, whose weights have so many bits."""
    data = setup.data
    samples = data.validation.inputs(slice(setup.census_samples)).to(setup.device)
    with clock.on("evaluation"):
        validation = score(setup, model, data.validation)
        tested = score(setup, model, data.test) if test else None
    with clock.on("census"):
        tiles = setup.product_sparsity
        work = count(model, setup.adapter, samples, weight_bits=bits, product_sparsity=tiles)
    return Precision(bits=bits, validation=validation, test=tested, workload=work)


def scores_on_test(setup: Setup, model: nn.Module, measured: Sequence[Precision]) -> list[Score]:
    """The test scores of a network in the numbers in which it was measured before."""
    bits, held = numbers_of(setup, model, measured)
    found = []
    for place, size in enumerate(bits):
        with rounded(model, size) if place else nullcontext():
            found.append(score(setup, model, setup.data.test))
    return [*found, *(score(setup, one.network, setup.data.test) for one in held)]


def numbers_of(
    setup: Setup, model: nn.Module, measured: Sequence[Precision]
) -> tuple[list[int], list[Held]]:
    """The numbers in which a network was measured, as `measure` takes them."""
    bits = [one.bits for one in measured if one.arithmetic is None]
    integers = [one.arithmetic for one in measured if one.arithmetic is not None]
    held, _ = held_by(setup, model, bits[0], integers)
    return bits, held


def read_after(  # noqa: PLR0913 - where, when, and what of it
    setup: Setup,
    model: nn.Module,
    steps: int,
    bits: Sequence[int],
    held: Sequence[Held] = (),
    *,
    test: bool,
    clock: Clock | None = None,
) -> Reading:
    """Scores and operations of a network that is read after so many steps; it stays as it is.

    What it has seen and said by then does not hang on how long it goes on: spiking networks are
    causal in time, so these are the figures of the first `steps` steps of any longer pass. Its
    output is the mean over those steps. Samples with time end there. The rest as in `measure`.
    """
    trained, networks = setup.adapter.time_steps(model), (model, *(one.network for one in held))
    for network in networks:
        setup.adapter.set_time_steps(network, steps)
    try:
        found = measure(stopped(setup, trained, steps), model, bits, held, test=test, clock=clock)
        return Reading(time_steps=steps, precisions=found)
    finally:
        for network in networks:
            setup.adapter.set_time_steps(network, trained)


def score(setup: Setup, model: nn.Module, part: Split) -> Score:
    """Accuracy, or the study's own score under its name.

    Raises ValueError where that is no number from 0 to 1.
    """
    if setup.evaluate is None:
        return Score(correct=correct(model, part), total=len(part))
    name, value = setup.evaluate.__name__, own_score(setup.evaluate, model, part)
    if not 0 <= value <= 1:
        raise ValueError(f"{name} gave {value!r}; expected a score from 0 to 1")
    return Score(correct=value * len(part), total=len(part), name=name)


def _is_parent(plan: Plan) -> bool:
    """Whether a plan without epochs leaves all of the parent, rounding apart."""
    return all(method.stage == "values" for method, _ in plan.stages())


def _compensate(setup: Setup, subject: Subject, plan: Plan, seed: int) -> None:
    """Fine-tuning, in which methods may go on."""
    effort = plan.effort
    recipe = replace(setup.recipe, epochs=effort.epochs, learning_rate=effort.learning_rate)
    with training(subject, plan) as step:
        steps = {} if step is None else {"after_step": step}
        setup.train(subject.network, setup.data.train, recipe, seed, **steps)
