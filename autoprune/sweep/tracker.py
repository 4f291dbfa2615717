"""Tracker: follows a run, tells its observer, keeps what is worth keeping, and sums up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.files import write_text
from autoprune.networks.shape import NetworkShape
from autoprune.report.files import save_front, save_picture
from autoprune.report.front.branches import Removal, removals, to_csv
from autoprune.report.front.candidates import Candidate, Candidates
from autoprune.report.front.front import MachineFront, history
from autoprune.report.front.one_shot import one_shot
from autoprune.report.tables.front_notes import unpriced_lines
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Ended, Head, Outcome
from autoprune.runs.record import Volumes
from autoprune.runs.weights import remove_weights
from autoprune.search.baselines import harsh_uniform, warnings
from autoprune.search.standing import Standing
from autoprune.sweep.clean import off_the_fronts
from autoprune.sweep.finished import Finished
from autoprune.sweep.progress import Observer, SearchProgress
from autoprune.trial.key import TrialKey

_OF = 100
"""Fronts are made anew when this part more of trials has joined: to judge all takes a while."""


@final
class Tracker:
    """Follows a run: tells the observer, and keeps weights of contenders, at last of members alone.

    Args:
        machines: the cost models by name. shape: of the network. trials: that the study asks for.
        folder: the run folder. observer: who is told.
    """

    def __init__(
        self,
        machines: Mapping[str, CostModel],
        shape: NetworkShape,
        trials: int,
        folder: RunFolder,
        observer: Observer,
    ) -> None:
        priced = {name: model for name, model in machines.items() if model.PRICED}
        self._unpriced = [name for name in machines if name not in priced]
        self._machines, self._shape, self._trials = priced, shape, trials
        self._folder, self._observer = folder, observer
        self._candidates = {
            name: Candidates(model, shape, folder.read) for name, model in priced.items()
        }
        self._fronts: dict[str, list[Candidate]] = {name: [] for name in priced}
        self._needed: set[TrialKey] = set()
        self._joined, self._due = 0, 0
        self._failed: dict[str, UnknownCost] = {}
        self._uniform: list[TrialKey] = []
        self._early: list[Head] = []
        self._ends: Counter[str] = Counter()
        self._best: float | None = None
        self._announced = False

    def recover(self) -> list[Head]:
        """Take in what an earlier run has left; what a crash has left half-written is removed.

        Returns the trials, by number.
        """
        heads = self._folder.recover()
        self._take(heads)
        return heads

    def observe(self, outcome: Outcome, standing: Standing | None) -> None:
        """A new outcome is on disk; see `autoprune.search.standing.Observe`."""
        if outcome.key.is_trial:
            self._take([outcome.head])
        if standing is None:
            return
        if outcome.key.is_trial:
            self._prune()
        self.announce(standing)

    def announce(self, standing: Standing) -> None:
        """Tell the observer how far the search is."""
        measured, expected = standing.baselines, standing.expected_baselines
        if not self._announced:
            self._observer.measuring(len(measured), expected)
        if not self._announced and len(measured) == expected:
            self._announced = True
            self._observer.baselines(measured)
        if self._announced:
            shown = SearchProgress(
                done=standing.done,
                trials=self._trials,
                running=standing.running,
                states=dict(self._ends),
                best=self._best,
                fronts=self._fronts,
            )
            self._observer.progress(shown)

    def _take(self, heads: Sequence[Head]) -> None:
        """Count trials, and let them join the fronts, where none is priced again."""
        self._joined += len(heads)
        self._early += [head for head in heads if head.one_shot is not None]
        for head in heads:
            ended = head.ended
            self._ends[ended.state] += 1
            if ended.score is not None and (self._best is None or ended.score > self._best):
                self._best = ended.score
            if ended.origin == "uniform":
                self._uniform.append(ended.key)
        words = {head.key: head.plan.short(self._shape) for head in heads}
        for name in self._machines.keys() - self._failed.keys():
            try:
                self._candidates[name].add(heads, words)
            except UnknownCost as error:
                self._failed[name], self._fronts[name] = error, []
        if self._joined >= self._due:
            self._judge()
        else:
            self._needed |= {head.key for head in heads}

    def _judge(self) -> None:
        """Make the fronts of all trials that joined, and note whose weights they may yet need."""
        self._due = self._joined + max(1, self._joined // _OF)
        self._needed = set()
        for name in self._machines.keys() - self._failed.keys():
            candidates = self._candidates[name]
            self._fronts[name] = candidates.members
            self._needed |= {contender.trained_as for contender in candidates.contenders}

    @property
    def members(self) -> set[TrialKey]:
        """The trials that are on a front so far."""
        self._judge()
        return {member.key for front in self._fronts.values() for member in front}

    def finish(self, standing: Standing, trials: list[Ended]) -> Finished:
        """Save every machine's front, and sum up a search that ended so; `trials` by number."""
        fronts: dict[str, MachineFront] = {}
        removed: tuple[Removal, ...] = ()
        if len(standing.baselines) < standing.expected_baselines:
            doubts = ["Stopped before all baselines were measured: there is no front yet."]
        else:
            self._judge()
            self._prune(last=True)
            uniform = [self._folder.read(key) for key in sorted(self._uniform)]
            doubts = warnings(standing.baselines, harsh_uniform(uniform))
            fronts, missing = self._save_fronts(standing.baselines)
            doubts += [*missing, *unpriced_lines(self._unpriced)]
            removed = removals(standing.baselines, [*self._machines.values()], self._shape)
            write_text(self._folder.branches, to_csv(removed))
        doubts += [f"Damaged, set aside, and made anew: {file}" for file in self._folder.set_aside]
        return Finished(
            folder=self._folder,
            fronts=fronts,
            removals=removed,
            baselines=standing.baselines,
            trials=trials,
            warnings=doubts,
            exhausted=standing.exhausted,
            saved=standing.saved,
            one_shot=one_shot(self._early),
            interrupted=not standing.finished,
        )

    def _save_fronts(
        self, baselines: Mapping[TrialKey, Outcome]
    ) -> tuple[dict[str, MachineFront], list[str]]:
        """The fronts by machine, now in the run folder; and why a machine has none."""
        fronts, missing, data = {}, [], self._folder.record.data
        for name, candidates in self._candidates.items():
            try:
                if name in self._failed:
                    raise self._failed[name]
                fronts[name] = candidates.front(baselines, data)
            except UnknownCost as error:
                missing.append(f"No front of {name}. {error}")
                continue
            save_front(fronts[name], self._folder.fronts / name)
        save_picture(list(fronts.values()), self._folder.picture)
        self._record_hypervolume(fronts)
        return fronts, missing

    def _record_hypervolume(self, fronts: dict[str, MachineFront]) -> None:
        """Note the hypervolumes with the study: reference, and how they grew by trial number."""
        volumes = {
            name: Volumes(
                reference=front.reference,
                trials=front.hypervolume,
                uniform=front.uniform_hypervolume,
                history=tuple(history(front)),
            )
            for name, front in fronts.items()
        }
        self._folder.write_record(replace(self._folder.record, hypervolumes=volumes))

    def _prune(self, *, last: bool = False) -> None:
        """Remove weights of settled trials that no front may need; at last, all that none has."""
        keys = [[member.trained_as for member in front] for front in self._fronts.values()]
        for key in off_the_fronts(self._folder, keys if last else [self._needed]):
            settled = key.is_trial and self._folder.file(key).is_file()
            if last or settled:
                remove_weights(self._folder, key)
