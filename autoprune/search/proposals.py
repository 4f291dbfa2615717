"""Proposals of a search: as its scheduler follows them, and as its Optuna study holds them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import optuna
from optuna.storages import BaseStorage

from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Ended, Origin, Outcome
from autoprune.search.block_response import GAIN
from autoprune.search.optuna_study import STUDY
from autoprune.search.storages import reachable, read_database, read_journal
from autoprune.trial.job import Job
from autoprune.trial.key import TrialKey


@dataclass(slots=True, kw_only=True)
class Proposed:
    """A trial that was proposed; `ended` is None until it is settled.

    `gain` is what it promised, where its sampler says so; `taken` says that another run has
    measured it. What is large goes when it is no longer needed, since there may be many trials:
    `open` with its settling, and `outcome` when Optuna was told.
    """

    key: TrialKey
    origin: Origin
    same_as: TrialKey | None
    open: tuple[Job, dict[Parameter, Value]] | None
    gain: float = math.inf
    taken: bool = False
    outcome: Outcome | None = None
    ended: Ended | None = None

    @property
    def counts(self) -> bool:
        """Whether it is trained, and so uses up one of the study's trials."""
        ended = self.ended
        refused = ended is not None and ended.state == "infeasible" and not ended.trained
        trained = self.origin != "baseline" and not self.taken and self.same_as is None
        return trained and not refused

    @property
    def job(self) -> Job:
        """What is to be done; of a trial that is not settled."""
        assert self.open is not None
        return self.open[0]

    @property
    def configuration(self) -> dict[Parameter, Value]:
        """What was proposed; of a trial that is not settled."""
        assert self.open is not None
        return self.open[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A trial as it was proposed.

    Attributes:
        ended: whether its end is in the study.
        gain: of hypervolume that the sampler expected, as a share of what the fronts' boxes hold;
            None where it expected nothing in numbers.
    """

    ended: bool
    gain: float | None


def read_proposals(folder: RunFolder) -> dict[TrialKey, Proposal] | None:
    """By key; empty where the run has proposed nothing yet.

    None where they are in a database that may not be opened; see `RunFolder`. Raises RecordError
    where that fails.
    """
    place: BaseStorage
    places = folder.record.places
    name = places.study
    if places.storage is not None:
        if not folder.imports:
            return None
        place = read_database(places.storage)
    elif folder.journal.is_file():
        place, name = read_journal(folder.journal), STUDY
    else:
        return {}
    with reachable():
        if name not in optuna.get_all_study_names(place):
            return {}
        trials = optuna.load_study(study_name=name, storage=place).get_trials(deepcopy=False)
    return {
        TrialKey(trial.number): Proposal(
            ended=trial.state.is_finished(), gain=_number(trial.system_attrs.get(GAIN))
        )
        for trial in trials
    }


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, float | int) else None
