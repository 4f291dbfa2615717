"""What the Optuna study of a run says of its proposals, also while another process writes to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import optuna
from optuna.storages import BaseStorage

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


def read_proposals(folder: RunFolder, storage: str | None) -> dict[str, Proposal]:
    """By key; empty where the run has proposed nothing yet.

    `storage` is the study's: the address of a database, None where the record is a journal in the
    folder. Raises RecordError where a database fails.
    """
    place: BaseStorage
    name: Any = STUDY
    if storage is not None:
        place, name = open_database(storage), folder.read_study()["record"]
    elif folder.journal.is_file():
        place = read_journal(folder.journal)
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
