"""Run a study: everything between the study's file and the fronts in the run folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safetensors.torch import save_file
from torch import nn

from autoprune.bench import build_network, find_parent, load_data, load_parent, make_bench
from autoprune.check import load_checked
from autoprune.cost.model import CostModel
from autoprune.data.dataset import Dataset
from autoprune.identity import check_identity, identity
from autoprune.lock import sole_writer
from autoprune.measurement import Measurement
from autoprune.metrics import UnknownCost, metric_value
from autoprune.models.spikformer import PatchSpikformerAdapter
from autoprune.outcome import Outcome
from autoprune.report.files import finite_or_none, save_front
from autoprune.report.front import MachineFront, front_members, machine_front
from autoprune.run_folder import RunFolder
from autoprune.search.baselines import baseline_plans, warnings
from autoprune.search.conductor import Conductor, Task
from autoprune.search.record import Record
from autoprune.search.samplers import distributions
from autoprune.shape import NetworkShape
from autoprune.spec.space import SearchSpace
from autoprune.spec.study import Study
from autoprune.storage import write_atomically, write_text
from autoprune.sweep.in_process import run_in_process


class Observer(Protocol):
    """Who watches a run."""

    def training(self, epoch: int, epochs: int) -> None:
        """The parent has trained for `epoch` of `epochs`."""

    def measuring(self, done: int, total: int) -> None:
        """`done` of `total` baselines are measured."""

    def baselines(self, outcomes: dict[str, Outcome]) -> None:
        """All baselines are measured; the search begins."""

    def progress(self, done: int, trials: int, outcomes: Sequence[Outcome]) -> None:
        """`done` of `trials` are settled; `outcomes` are all trials so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A study of which everything was checked that can be before anything trains.

    Attributes:
        study, space, file: as loaded; the study's machines replaced by `machines`.
        machines: the cost models by name.
        data, shape: its samples and what its network offers.
        points: number of different configurations of the space.
    """

    study: Study
    space: SearchSpace
    file: Path
    machines: dict[str, CostModel]
    data: Dataset
    shape: NetworkShape

    @property
    def points(self) -> int:
        """Configurations that the space holds, before equal plans are told apart."""
        count = 1
        for domain in self.space.parameters(self.shape).values():
            count *= len(domain.all)
        return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a run came to.

    Attributes:
        fronts: by machine. baselines: by key. outcomes: all trials by number.
        warnings: what makes the result doubtful, in words.
        exhausted: whether the search met nothing new any more.
    """

    fronts: dict[str, MachineFront]
    baselines: dict[str, Outcome]
    outcomes: list[Outcome]
    warnings: list[str]
    exhausted: bool


def prepare(name_or_path: str, trials: int | None = None, workers: int | None = None) -> Prepared:
    """Load a study and check it, with the number of trials and workers of the command line.

    Raises InputError for anything that is wrong with the study, its space or its machines.
    """
    study, space, file, machines = load_checked(name_or_path)
    changes = {k: v for k, v in (("trials", trials), ("workers", workers)) if v is not None}
    study = study.model_copy(update=changes)
    data = load_data(study)
    shape = PatchSpikformerAdapter().shape(build_network(study.network, data))
    space.parameters(shape)
    space.uniform_points(shape, study.effort)
    return Prepared(study=study, space=space, file=file, machines=machines, data=data, shape=shape)


def run(prepared: Prepared, path: Path, observer: Observer) -> Finished:
    """Run the study in the folder `path`, or go on with it there.

    Raises RecordError where the folder is in use, not writable or damaged, and InputError where
    it belongs to another study; then nothing in it was changed.
    """
    folder = RunFolder(path)
    study = prepared.study
    if folder.study_file.is_file():
        recorded = folder.read_study()["identity"]
        check_identity(recorded, _identity(prepared), str(path))
    with sole_writer(path):
        folder.clean()
        _write_study(prepared, folder)
        bench = make_bench(study, prepared.data, _parent(prepared, folder, observer))
        tracker = _Tracker(prepared, folder, observer)
        conductor = _conductor(prepared, folder, tracker)
        tracker.conductor = conductor
        tracker.start()
        if study.workers == 0:
            run_in_process(conductor, bench, study.threads)
        elif not conductor.finished:
            from autoprune.sweep.ray_tune import run_with_ray  # Ray takes seconds to import

            run_with_ray(conductor, bench, threads=study.threads, workers=study.workers)
        return tracker.finish()


def _identity(prepared: Prepared) -> dict[str, object]:
    return identity(prepared.study, prepared.space, prepared.machines)


def _write_study(prepared: Prepared, folder: RunFolder) -> None:
    folder.write_study(
        {
            "title": prepared.study.title,
            "identity": _identity(prepared),
            "shape": dataclasses.asdict(prepared.shape),
            "trials": prepared.study.trials,
        }
    )
    write_text(folder.path / "study.toml", prepared.file.read_text(encoding="utf-8"))
    names = {f"{name}.toml" for name in prepared.machines}
    for file in folder.machines.glob("*.toml"):
        if file.name not in names:
            file.unlink()
    for name, model in prepared.machines.items():
        source = Path(model.machine.where)
        write_text(folder.machines / f"{name}.toml", source.read_text(encoding="utf-8"))


def _parent(prepared: Prepared, folder: RunFolder, observer: Observer) -> nn.Module:
    """The run's own copy of the parent, made on its first day."""
    study, data = prepared.study, prepared.data
    if not folder.parent.is_file():
        epochs = study.parent.epochs
        network = find_parent(study, data, lambda epoch: observer.training(epoch, epochs))
        write_atomically(folder.parent, lambda part: save_file(network.state_dict(), part))
    return load_parent(study, data, folder.parent)


def _conductor(prepared: Prepared, folder: RunFolder, tracker: _Tracker) -> Conductor:
    study, space, shape = prepared.study, prepared.space, prepared.shape

    def objectives(measurement: Measurement) -> list[float]:
        return [metric_value(m, measurement, prepared.machines) for m in study.objectives]

    task = Task(
        space=space,
        shape=shape,
        effort=study.effort,
        seed=study.seed,
        sampler=study.search.sampler,
        lag=study.search.lag,
        trials=study.trials,
        objectives=objectives,
    )
    record = Record(
        folder.journal,
        directions=["maximize" if m == "accuracy" else "minimize" for m in study.objectives],
        names=study.objectives,
        space=distributions(space.parameters(shape)),
    )
    return Conductor(task, record, folder, tracker.observe)


class _Tracker:
    """Follows a run: tells the observer, and keeps checkpoints of front members only."""

    def __init__(self, prepared: Prepared, folder: RunFolder, observer: Observer) -> None:
        self._prepared, self._folder, self._observer = prepared, folder, observer
        self._expected = len(baseline_plans(prepared.shape, prepared.study.effort))
        self._announced = False
        self.conductor: Conductor | None = None

    def start(self) -> None:
        """Tell what an earlier run on the folder has left."""
        self._announce()

    def observe(self, outcome: Outcome) -> None:
        """A new outcome is on disk."""
        if self.conductor is not None:
            self._announce()
            if outcome.origin != "baseline":
                self._prune(self.conductor.outcomes)

    def finish(self) -> Finished:
        """Save every machine's front, and sum the run up."""
        assert self.conductor is not None
        outcomes, baselines = self.conductor.outcomes, self.conductor.baselines
        self._prune(outcomes, last=True)
        doubts = warnings(baselines, _harsh_l1p(outcomes))
        fronts = {}
        for name, model in self._prepared.machines.items():
            try:
                fronts[name] = machine_front(outcomes, baselines, model, self._prepared.shape)
            except UnknownCost as error:
                doubts.append(f"No front of {name}. {error}")
                continue
            save_front(fronts[name], self._folder.fronts / name)
        self._record_hypervolume(fronts)
        if not self.conductor.finished:
            doubts.append("Interrupted: run the same command again to go on.")
        return Finished(
            fronts=fronts,
            baselines=baselines,
            outcomes=outcomes,
            warnings=doubts,
            exhausted=self.conductor.exhausted,
        )

    def _record_hypervolume(self, fronts: dict[str, MachineFront]) -> None:
        """Note the hypervolumes with the study, with the reference that they are above."""
        self._folder.write_study(
            {
                **self._folder.read_study(),
                "hypervolume": {
                    name: {
                        "reference": front.reference,
                        "trials": finite_or_none(front.hypervolume),
                        "uniform": finite_or_none(front.uniform_hypervolume),
                    }
                    for name, front in fronts.items()
                },
            }
        )

    def _announce(self) -> None:
        assert self.conductor is not None
        measured = self.conductor.baselines
        if not self._announced:
            self._observer.measuring(len(measured), self._expected)
        if not self._announced and len(measured) == self._expected:
            self._announced = True
            self._observer.baselines(measured)
        if self._announced:
            self._observer.progress(
                self.conductor.done, self._prepared.study.trials, self.conductor.outcomes
            )

    def _prune(self, outcomes: Sequence[Outcome], *, last: bool = False) -> None:
        """Remove weights of settled trials that are on no machine's front; at last, all others."""
        keep = {
            self._folder.checkpoint(member.same_as or member.key)
            for model in self._prepared.machines.values()
            for member in _members(outcomes, model)
        }
        settled = {self._folder.checkpoint(outcome.key) for outcome in outcomes}
        for file in self._folder.checkpoints.glob("*.safetensors"):
            if file not in keep and (last or file in settled):
                file.unlink()


def _members(outcomes: Sequence[Outcome], model: CostModel) -> list[Outcome]:
    """The front of a machine; empty where it cannot price the network."""
    try:
        return front_members(outcomes, model)
    except UnknownCost:
        return []


def _harsh_l1p(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    """The uniform trial whose only compression is L1P at 95 %, if the sweep has one."""
    harsh = {"l1p": 0.95, "dsp": 1.0}
    for outcome in outcomes:
        settings = {(name.rsplit(".", 1)[-1], value) for name, value in outcome.point}
        if outcome.origin == "uniform" and harsh.items() >= {s for s in settings if s[0] in harsh}:
            return {"Uniform L1P at 95 %": outcome}
    return {}
