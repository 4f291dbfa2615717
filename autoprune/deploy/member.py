"""Find a network of a run: its record, its weights, and everything that it was measured with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from autoprune.deploy.pack import BuiltFrom
from autoprune.deploy.remeasure import compare, recorded, remeasured, validation_samples
from autoprune.errors import ExportError, RecordError
from autoprune.networks.inputs import present
from autoprune.networks.shape import NetworkShape
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.study.kept import shaped, take_weights
from autoprune.study.parent import load_parent
from autoprune.study.parts import Parts, load_data, make_setup
from autoprune.study.recorded import recorded_parts
from autoprune.trial.job import in_one_line
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup, compute_alike
from autoprune.trial.stopped import stopped
from autoprune.trial.trial import run_trial, scores_on_test


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A trial or baseline of a run, with its network.

    Attributes:
        run, key: where it is on record; `same_as` is the trial that was trained in its place.
        parts, setup: what it was made and measured with.
        measurement: its record, with test scores.
        network: in evaluation mode, on the CPU.
        shape: what the parent offers to compression.
        rebuilt: whether it was trained again, because its weights were not kept.
    """

    run: RunFolder
    key: TrialKey
    same_as: TrialKey
    parts: Parts
    setup: Setup
    measurement: Measurement
    network: nn.Module
    shape: NetworkShape
    rebuilt: bool

    def origin(self) -> BuiltFrom:
        """How the network came about."""
        return BuiltFrom(
            model=self.parts.network.model,
            arguments=self.parts.network.arguments,
            offered=self.parts.offered,
            adapter=self.parts.network.adapter,
            methods=tuple(self.parts.compression.methods),
            plan=self.measurement.plan,
            after=self.key.after,
            folded={},
        )

    def inputs(self, count: int) -> Tensor:
        """What the network is called with: the first validation samples, at most `count`."""
        return present(self.network, validation_samples(self.setup, count))

    def single_inputs(self, count: int) -> tuple[Tensor, ...]:
        """The same, one sample at a time."""
        samples = validation_samples(self.setup, count).split(1)
        return tuple(present(self.network, sample) for sample in samples)


def find_member(folder: RunFolder, key: TrialKey, say: Callable[[str], None]) -> Member:
    """The network of trial or baseline `key`, trained again where its weights were not kept.

    `say` is told before anything is trained.

    Raises RecordError where there is no such trial or it failed, InputError where code that the
    run names may not be imported, and ExportError where the network that was trained again is not
    the one on record.
    """
    outcome = _trained(folder, key)
    assert outcome.measurement is not None
    parts = recorded_parts(folder)
    parts.compute.check_device()
    torch.set_num_threads(parts.compute.threads)
    data = load_data(parts)
    parent = load_parent(parts, folder.parent)
    whole = make_setup(parts, data, parent, ())  # the record says at which bits to measure
    plan, setup = outcome.measurement.plan, whole
    network = shaped(whole, plan)
    shape = whole.adapter.shape(parent)
    if key.after is not None:
        setup = stopped(whole, plan.effort.time_steps, key.after)
        setup.adapter.set_time_steps(network, key.after)
    rebuilt = not take_weights(folder, outcome.key.whole, network)
    if rebuilt:
        say(f"The weights of {outcome.key.words} were not kept: training it again.")
        _rebuild(whole, parts.compute.threads, outcome, network)
        found = remeasured(setup, network.eval(), outcome.measurement)
        compare(found, recorded(outcome.measurement, shape.block_weights), "what was trained again")
    return Member(
        run=folder,
        key=key,
        same_as=outcome.key,
        parts=parts,
        setup=setup,
        measurement=_tested(setup, network, outcome.measurement),
        network=network.cpu().eval(),
        shape=shape,
        rebuilt=rebuilt,
    )


def _tested(setup: Setup, network: nn.Module, found: Measurement) -> Measurement:
    """The record with test scores, which a trial has that is on a front."""
    if found.test is not None:
        return found
    on_device = network.to(setup.device).eval()
    return found.with_tests(scores_on_test(setup, on_device, found.precisions))


def _trained(folder: RunFolder, key: TrialKey) -> Outcome:
    """The outcome whose training gave the measurement of `key`."""
    outcome = folder.read(key)
    if outcome.measurement is None:
        why = in_one_line(outcome.cause)
        raise RecordError(f"{folder.path}: {key.words} failed and has no network ({why})")
    while outcome.same_as is not None:
        outcome = folder.read(outcome.same_as)
    return outcome


def _rebuild(setup: Setup, threads: int, outcome: Outcome, network: nn.Module) -> None:
    """Carry out the trial again, as a worker does, and give `network` its weights."""
    assert outcome.measurement is not None
    compute_alike(threads)
    there = replace(setup, parent=setup.parent.to(setup.device))
    try:
        _, trained = run_trial(there, outcome.measurement.plan, outcome.measurement.seed)
    except Exception as error:
        raise ExportError(f"{outcome.key.words} cannot be trained again: {error}") from error
    network.load_state_dict(trained.cpu().state_dict())
    setup.parent.cpu()
