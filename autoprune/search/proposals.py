"""What the Optuna study of a run says of its proposals, also while another process writes to it."""

from __future__ import annotations

from dataclasses import dataclass

import optuna
from optuna.storages import BaseStorage

from autoprune.reopen import recorded_study
from autoprune.run_folder import RunFolder
from autoprune.search.block_response import GAIN
from autoprune.search.database import open_database, reachable
from autoprune.search.journal import read_journal
from autoprune.search.record import STUDY


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


def read_proposals(folder: RunFolder) -> dict[str, Proposal]:
    """By key; empty where the run has proposed nothing yet.

    Raises RecordError where the record is in a database that fails.
    """
    place: BaseStorage
    name = folder.read_study().get("record")
    storage = recorded_study(folder).storage if name is not None else None
    if storage is not None:
        place = open_database(storage)
    elif folder.journal.is_file():
        place, name = read_journal(folder.journal), STUDY
    else:
        return {}
    with reachable():
        if name not in optuna.get_all_study_names(place):
            return {}
        trials = optuna.load_study(study_name=name, storage=place).get_trials(deepcopy=False)
    return {
        str(trial.number): Proposal(
            ended=trial.state.is_finished(), gain=trial.system_attrs.get(GAIN)
        )
        for trial in trials
    }
