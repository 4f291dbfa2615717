"""The Optuna study of a run: proposals are put into it whole, outcomes in their order.

Trials are sampled in a mirror of the study in memory and then added to its storage with one write.
A trial that Optuna itself asks for is written parameter by parameter; a crash in between would
leave one that can neither be run nor removed.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from autoprune.compress.setting import Value
from autoprune.search.sharing import intern, uncopied
from autoprune.search.storages import reachable
from autoprune.search.stored import KEPT, check_stored

STUDY = "autoprune"

_SHOWN = "constraints"
"""System attribute of a trial: its constraints without their names, as optuna-dashboard reads them.

Of what is stored alone: Optuna counts it as constraints more, which samplers are not to see.
"""


@dataclass(frozen=True, slots=True)
class _End:
    """How a trial ended; without values it failed."""

    number: int
    values: list[float] | None
    constraints: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyPlace:
    """Where an Optuna study is: a storage, and its name there."""

    storage: BaseStorage
    study: str = STUDY


class OptunaStudy:
    """One Optuna study, in its storage and in memory.

    Args:
        place: where it is, or will be.
        directions: ``maximize`` or ``minimize`` per objective.
        names: of the objectives.
        space: the distributions of all parameters.
        lag: proposal i is made of the results of trials 0 to i - lag, also where more are there:
            a run that is made longer goes on as if it had been so from the start.
        plans: hashes of the plans of trials that the run has, by number.

    Raises RecordError where what is stored is not the run's, and, as all methods do, where the
    storage is a database that fails.
    """

    def __init__(  # noqa: PLR0913 - what an Optuna study is of, and has to agree with
        self,
        place: StudyPlace,
        directions: Sequence[Literal["maximize", "minimize"]],
        names: Sequence[str],
        space: Mapping[str, BaseDistribution],
        lag: int,
        plans: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        # Optuna announces on its own terminal line what it does and which part is experimental.
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._lag = dict(space), lag
        self._late: deque[_End] = deque()
        self._values: dict[tuple[type, Value], Value] = {}
        with reachable():
            self._study = optuna.create_study(
                study_name=place.study,
                directions=list(directions),
                sampler=optuna.samplers.RandomSampler(),  # never asked: `ask` samples in a copy
                storage=place.storage,
                load_if_exists=True,
            )
        self._mirror = optuna.storages.InMemoryStorage()
        mirror = optuna.create_study(
            study_name=STUDY, directions=list(directions), storage=self._mirror
        )
        known = self.trials
        check_stored(known, self._space, len(names), plans)
        self._ids = [trial._trial_id for trial in known]
        for trial in map(_told, known):
            late = trial.state.is_finished() and trial.number > len(known) - lag
            mirror.add_trial(uncopied(self._take_back(trial) if late else trial))
            for key, value in trial.system_attrs.get(KEPT, {}).items():
                self._mirror.set_study_system_attr(mirror._study_id, key, value)
        for trial, copied in zip(known, mirror.get_trials(deepcopy=False), strict=True):
            self._share(trial, copied)
            intern(trial)
            copied.user_attrs = trial.user_attrs
        with reachable():
            if not self._study.user_attrs.get("objectives"):
                self._study.set_user_attr("objectives", list(names))

    @property
    def trials(self) -> list[FrozenTrial]:
        """Every trial of the study, by number."""
        with reachable():
            return self._study.get_trials(deepcopy=False)

    def _trial(self, number: int) -> FrozenTrial:
        """One trial of the study: to find it among all takes the longer, the more there are."""
        with reachable():
            return self._study._storage.get_trial(self._ids[number])

    def ask(
        self,
        sampler: BaseSampler,
        *,
        fixed: Mapping[str, Value] | None,
        settled: Callable[[dict[str, Value]], dict[str, Value]],
        describe: Callable[[FrozenTrial], dict[str, object]],
    ) -> FrozenTrial:
        """A new running trial; what is proposed depends on nothing but sampler and study.

        Args:
            sampler: one that keeps nothing that it does not read from the study.
            fixed: the trial's parameters, instead of the sampler's.
            settled: makes of the sampler's parameters those of a trial that was measured already,
                and that the study has lost.
            describe: what to note about it, as JSON values.
        """
        study = self._in_memory(sampler)
        while self._late and self._late[0].number <= len(self._ids) - self._lag:
            end = self._late.popleft()
            self._end(study, end)
            self._share_end(self._trial(end.number), study.get_trials(deepcopy=False)[end.number])
        if fixed is not None:
            study.enqueue_trial(dict(fixed))
        before = self._kept()
        number = study.ask(self._space).number
        kept = {key: value for key, value in self._kept().items() if before.get(key) != value}
        proposal = study.get_trials(deepcopy=False)[number]
        proposal.params = settled(proposal.params)
        whole = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=proposal.params,
            distributions=proposal.distributions,
            user_attrs=describe(proposal),
            system_attrs=proposal.system_attrs | ({KEPT: kept} if kept else {}),
        )
        study_id = self._study._study_id
        with reachable():
            self._ids.append(self._study._storage.create_new_trial(study_id, template_trial=whole))
        trial = self._trial(number)
        self._share(trial, proposal)
        intern(trial)
        return trial

    def _share(self, trial: FrozenTrial, copied: FrozenTrial) -> None:
        """Let a trial and its copy have one set of parameters, and the space's distributions.

        Optuna makes 40 objects for 20 parameters, twice; of many trials they fill the memory.
        """
        if trial.params.keys() != self._space.keys():
            return
        params = {}
        for name in self._space:
            value = trial.params[name]
            params[name] = self._values.setdefault((type(value), value), value)
        trial.params = copied.params = params
        trial.distributions = copied.distributions = self._space

    def _share_end(self, trial: FrozenTrial, copied: FrozenTrial) -> None:
        """Let a trial that has ended and its copy have one set of values and attributes."""
        copied._values = trial._values
        if copied.system_attrs == trial.system_attrs:
            copied.system_attrs = trial.system_attrs

    def tell(
        self,
        number: int,
        values: Sequence[float] | None,
        note: Mapping[str, object],
        constraints: Mapping[str, float],
    ) -> None:
        """End a trial: with its objectives, or with None as failed; the rest is added first.

        Args:
            number: of the trial.
            values: the objectives.
            note: for whoever reads the study, as JSON values.
            constraints: by name; those above 0 are broken.
        """
        end = _End(number, None if values is None else list(values), dict(constraints))
        with reachable():
            self._end(self._study, end, note)
        intern(self._trial(number))
        self._late.append(end)

    def _end(
        self, study: optuna.Study, end: _End, note: Mapping[str, object] | None = None
    ) -> None:
        """Tell one of the two studies."""
        own, number = study is self._study, end.number
        known = self._ids[number] if own else study.get_trials(deepcopy=False)[number]._trial_id
        trial = optuna.trial.Trial(study, known)
        for name, value in (note or {}).items():
            trial.set_user_attr(name, value)
        if end.constraints and own:
            excesses = list(end.constraints.values())
            trial.storage.set_trial_system_attr(trial._trial_id, _SHOWN, excesses)
        known_already = trial.storage.get_trial_system_attrs(trial._trial_id)
        for name, excess in end.constraints.items():
            if f"{_SHOWN}:{name}" not in known_already:  # of a run that was killed at this line
                trial.set_constraint(name, excess)
        state = TrialState.FAIL if end.values is None else TrialState.COMPLETE
        study.tell(trial, end.values, state=state)

    def _take_back(self, trial: FrozenTrial) -> FrozenTrial:
        """A finished trial as a running one, whose end samplers hear of later."""
        self._late.append(_End(trial.number, trial.values, dict(trial.constraints)))
        late = {f"{_SHOWN}:{name}" for name in trial.constraints}
        return optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs=trial.user_attrs,
            system_attrs={k: v for k, v in trial.system_attrs.items() if k not in late},
        )

    def _kept(self) -> dict[str, object]:
        """What samplers keep with the study: a population, a count."""
        number = self._mirror.get_study_id_from_name(STUDY)
        return dict(self._mirror.get_study_system_attrs(number))

    def _in_memory(self, sampler: BaseSampler) -> optuna.Study:
        return optuna.load_study(study_name=STUDY, storage=self._mirror, sampler=sampler)


def _told(trial: FrozenTrial) -> FrozenTrial:
    """A trial that is stored, without what is there to be shown."""
    if _SHOWN not in trial.system_attrs:
        return trial
    copied = copy.copy(trial)
    copied.system_attrs = {k: v for k, v in trial.system_attrs.items() if k != _SHOWN}
    return copied
