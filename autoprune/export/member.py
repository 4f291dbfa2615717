"""Find a network of a run: its record, its weights, and everything that it was measured with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from autoprune.bench import check_device, load_data, load_parent, make_bench, offered
from autoprune.compress.network import reshape
from autoprune.errors import RecordError
from autoprune.export.failure import ExportError
from autoprune.export.pack import Origin
from autoprune.export.record import compare, recorded, remeasured, validation_samples
from autoprune.measurement import Measurement
from autoprune.models.checkpoint import load_checkpoint
from autoprune.models.inputs import present
from autoprune.outcome import PARENT, Outcome
from autoprune.reopen import runnable_study
from autoprune.run_folder import RunFolder
from autoprune.run_weights import weights_file
from autoprune.search.job import Failure, Job
from autoprune.shape import NetworkShape
from autoprune.spec.study import Study
from autoprune.sweep.worker import Worker
from autoprune.trial import Bench


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A trial or baseline of a run, with its network.

    Attributes:
        run, key: where it is on record; `same_as` is the trial that was trained in its place.
        study, bench: what it was measured with.
        measurement: its record.
        network: in evaluation mode, on the CPU.
        shape: what the parent offers to compression.
        rebuilt: whether it was trained again, because its weights were not kept.
    """

    run: RunFolder
    key: str
    same_as: str
    study: Study
    bench: Bench
    measurement: Measurement
    network: nn.Module
    shape: NetworkShape
    rebuilt: bool

    def origin(self) -> Origin:
        """How the network came about."""
        return Origin(
            model=self.study.network.model,
            arguments=self.study.network.arguments,
            offered=offered(self.study.network, self.bench.data.about),
            adapter=self.study.network.adapter,
            plan=self.measurement.plan,
            folded={},
        )

    def inputs(self, count: int) -> Tensor:
        """What the network is called with: the first validation samples, at most `count`."""
        return present(self.network, validation_samples(self.bench, count))

    def single_inputs(self, count: int) -> tuple[Tensor, ...]:
        """The same, one sample at a time."""
        samples = validation_samples(self.bench, count).split(1)
        return tuple(present(self.network, sample) for sample in samples)


def find_member(folder: RunFolder, key: str, say: Callable[[str], None]) -> Member:
    """The network of trial or baseline `key`, trained again where its weights were not kept.

    `say` is told before anything is trained.

    Raises RecordError where there is no such trial or it failed, InputError where code that the
    run names may not be imported, and ExportError where the network that was trained again is not
    the one on record.
    """
    folder.read_study()
    outcome = _trained(folder, key)
    assert outcome.measurement is not None
    study = runnable_study(folder)
    check_device(study.compute)
    torch.set_num_threads(study.threads)
    data = load_data(study)
    parent = load_parent(study, data, folder.parent)
    bench = make_bench(study, data, parent, ())  # the record says at which bits to measure
    network = reshape(parent, outcome.measurement.plan, bench.adapter)
    shape = bench.adapter.shape(parent)
    rebuilt = not _take_weights(folder, outcome.key, network)
    if rebuilt:
        say(f"The weights of {_words(outcome.key)} were not kept: training it again.")
        _rebuild(bench, study, outcome, network)
        found = remeasured(bench, network.eval(), outcome.measurement)
        compare(found, recorded(outcome.measurement, shape.block_weights), "what was trained again")
    return Member(
        run=folder,
        key=key,
        same_as=outcome.key,
        study=study,
        bench=bench,
        measurement=outcome.measurement,
        network=network.cpu().eval(),
        shape=shape,
        rebuilt=rebuilt,
    )


def _take_weights(folder: RunFolder, key: str, network: nn.Module) -> bool:
    """Give `network` the weights that the run has kept; whether it has."""
    if key == PARENT:
        load_checkpoint(network, folder.parent)
        return True
    with weights_file(folder, key) as file:
        if file is not None:
            load_checkpoint(network, file)
        return file is not None


def _words(key: str) -> str:
    return f"trial {key}" if key.isdecimal() else f"the baseline {key!r}"


def _trained(folder: RunFolder, key: str) -> Outcome:
    """The outcome whose training gave the measurement of `key`."""
    outcome = folder.read(key)
    if outcome.measurement is None:
        last = (outcome.cause.strip().splitlines() or ["no cause"])[-1]
        raise RecordError(f"{folder.path}: {_words(key)} failed and has no network ({last})")
    while outcome.same_as is not None:
        outcome = folder.read(outcome.same_as)
    return outcome


def _rebuild(bench: Bench, study: Study, outcome: Outcome, network: nn.Module) -> None:
    """Carry out the trial again, as a worker does, and give `network` its weights."""
    assert outcome.measurement is not None
    with TemporaryDirectory() as place:
        file = Path(place) / "weights.safetensors"
        plan, seed = outcome.measurement.plan, outcome.measurement.seed
        job = Job(key=outcome.key, plan=plan, seed=seed, weights=file)
        result = Worker(bench, study.threads).run(job)
        if isinstance(result, Failure):
            raise ExportError(f"{_words(outcome.key)} cannot be trained again: {result.cause}")
        load_checkpoint(network, file)
    bench.parent.cpu()
