"""Tracker: follows a run, tells its observer, keeps what is worth keeping, and sums up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, final

from autoprune.clean import members, off_the_fronts
from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.outcome import Outcome
from autoprune.report.branches import BranchProbe, branch_probes, to_csv
from autoprune.report.files import finite_or_none, save_front
from autoprune.report.front import MachineFront, history, machine_front
from autoprune.run_folder import RunFolder
from autoprune.search.baselines import warnings
from autoprune.search.conductor import Conductor
from autoprune.shape import NetworkShape
from autoprune.storage import write_text

Fronts = Mapping[str, Sequence[Outcome]]
"""The trials on each machine's front; none of a machine that cannot price the network."""


class Observer(Protocol):
    """Who watches a run."""

    def training(self, epoch: int, epochs: int) -> None:
        """The parent has trained for `epoch` of `epochs`."""

    def measuring(self, done: int, total: int) -> None:
        """`done` of `total` baselines are measured."""

    def baselines(self, outcomes: dict[str, Outcome]) -> None:
        """All baselines are measured; the search begins."""

    def progress(self, done: int, trials: int, outcomes: Sequence[Outcome], fronts: Fronts) -> None:
        """`done` of `trials` are settled; `outcomes` are all trials so far."""


class Nobody:
    """An observer that takes no notice."""

    def training(self, epoch: int, epochs: int) -> None:
        """Nothing."""

    def measuring(self, done: int, total: int) -> None:
        """Nothing."""

    def baselines(self, outcomes: dict[str, Outcome]) -> None:
        """Nothing."""

    def progress(self, done: int, trials: int, outcomes: Sequence[Outcome], fronts: Fronts) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a run came to.

    Attributes:
        fronts: by machine. baselines: by key. outcomes: all trials by number.
        probes: what each branch loses and saves.
        warnings: what makes the result doubtful, in words.
        exhausted: whether the search met nothing new any more.
        saved: trials that were not needed, because what was left promised too little.
        interrupted: whether trials are left that the same command would go on with.
    """

    fronts: dict[str, MachineFront]
    probes: list[BranchProbe]
    baselines: dict[str, Outcome]
    outcomes: list[Outcome]
    warnings: list[str]
    exhausted: bool
    saved: int
    interrupted: bool


@final
class Tracker:
    """Follows a run: tells the observer, and keeps checkpoints of front members only.

    Args:
        machines: the cost models by name. shape: of the network. trials: that the study asks for.
        folder: the run folder. observer: who is told.

    Attributes:
        conductor: whom it follows; it is there before `start`.
    """

    def __init__(
        self,
        machines: Mapping[str, CostModel],
        shape: NetworkShape,
        trials: int,
        folder: RunFolder,
        observer: Observer,
    ) -> None:
        self._machines, self._shape, self._trials = machines, shape, trials
        self._folder, self._observer = folder, observer
        self._fronts: dict[str, list[Outcome]] = {name: [] for name in machines}
        self._announced = False
        self.conductor: Conductor | None = None

    def start(self) -> None:
        """Tell what an earlier run on the folder has left."""
        assert self.conductor is not None
        self._extend(self.conductor.outcomes)
        self._announce()

    def observe(self, outcome: Outcome) -> None:
        """A new outcome is on disk."""
        if self.conductor is None:
            return
        if outcome.key.isdecimal():
            self._extend([outcome])
            self._prune()
        self._announce()

    def finish(self) -> Finished:
        """Save every machine's front, and sum the run up."""
        assert self.conductor is not None
        outcomes, baselines = self.conductor.outcomes, self.conductor.baselines
        if len(baselines) < self.conductor.expected_baselines:
            doubts = ["Stopped before all baselines were measured: there is no front yet."]
            return self._sum_up({}, [], doubts)
        self._prune(last=True)
        doubts = warnings(baselines, _harsh_l1p(outcomes))
        fronts, data = {}, self._folder.data
        for name, model in self._machines.items():
            try:
                fronts[name] = machine_front(outcomes, baselines, model, self._shape, data)
            except UnknownCost as error:
                doubts.append(f"No front of {name}. {error}")
                continue
            save_front(fronts[name], self._folder.fronts / name)
        self._record_hypervolume(fronts)
        probes = branch_probes(outcomes, baselines, self._machines, self._shape)
        write_text(self._folder.branches, to_csv(probes))
        return self._sum_up(fronts, probes, doubts)

    def _sum_up(
        self, fronts: dict[str, MachineFront], probes: list[BranchProbe], doubts: list[str]
    ) -> Finished:
        assert self.conductor is not None
        return Finished(
            fronts=fronts,
            probes=probes,
            baselines=self.conductor.baselines,
            outcomes=self.conductor.outcomes,
            warnings=doubts,
            exhausted=self.conductor.exhausted,
            saved=self.conductor.saved,
            interrupted=not self.conductor.finished,
        )

    def _record_hypervolume(self, fronts: dict[str, MachineFront]) -> None:
        """Note the hypervolumes with the study: reference, and how they grew by trial number."""
        self._folder.write_study(
            {
                **self._folder.read_study(),
                "hypervolume": {
                    name: {
                        "reference": front.reference,
                        "trials": finite_or_none(front.hypervolume),
                        "uniform": finite_or_none(front.uniform_hypervolume),
                        "history": [[t, finite_or_none(v)] for t, v in history(front)],
                    }
                    for name, front in fronts.items()
                },
            }
        )

    def _announce(self) -> None:
        assert self.conductor is not None
        measured = self.conductor.baselines
        expected = self.conductor.expected_baselines
        if not self._announced:
            self._observer.measuring(len(measured), expected)
        if not self._announced and len(measured) == expected:
            self._announced = True
            self._observer.baselines(measured)
        if self._announced:
            conductor = self.conductor
            self._observer.progress(conductor.done, self._trials, conductor.outcomes, self._fronts)

    def _extend(self, outcomes: Sequence[Outcome]) -> None:
        """Let new trials join the fronts: what was dominated stays so and is not priced again."""
        for name, model in self._machines.items():
            self._fronts[name] = members([*self._fronts[name], *outcomes], model)

    def _prune(self, *, last: bool = False) -> None:
        """Remove weights of settled trials that are on no machine's front; at last, all others."""
        assert self.conductor is not None
        settled = {self._folder.checkpoint(outcome.key) for outcome in self.conductor.outcomes}
        for file in off_the_fronts(self._folder, self._fronts.values()):
            if last or file in settled:
                file.unlink()


def _harsh_l1p(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    """The uniform trial whose only compression is L1P at 95 %, if the sweep has one."""
    harsh = {"l1p": 0.95, "dsp": 1.0}
    for outcome in outcomes:
        settings = {(name.rsplit(".", 1)[-1], value) for name, value in outcome.point}
        if outcome.origin == "uniform" and harsh.items() >= {s for s in settings if s[0] in harsh}:
            return {"Uniform L1P at 95 %": outcome}
    return {}
