"""A workload by the name that a user gives it: a file, or a trial of a run as RUN:TRIAL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from autoprune.cost.load import load_machine
from autoprune.cost.model import CostModel
from autoprune.errors import InputError
from autoprune.files import user_path
from autoprune.trial.key import TrialKey
from autoprune.workload.stated import read_workload
from autoprune.workload.workload import Workload

if TYPE_CHECKING:
    from autoprune.runs.folder import RunFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWorkload:
    """A workload that a user names, and a machine for it.

    Attributes:
        model: the machine.
        workload: of a trial in the machine's numbers, of a file as it is.
        numbers: in which it was counted, as `Precision.words`; empty of a file.
        run: the folder of a trial's run; None of a file.
    """

    model: CostModel
    workload: Workload
    numbers: str
    run: RunFolder | None


def find_workload(what: str, machine: str, *, imports: bool) -> NamedWorkload:
    """The workload in the file, or of the trial, that `what` names, and the machine.

    Raises InputError where it is neither or there is no such machine, and RecordError where there
    is no such trial.
    """
    path = Path(what)
    place, colon, trial = what.rpartition(":")
    if colon and not path.exists():
        from autoprune.runs.folder import RunFolder  # a file needs no pyarrow
        from autoprune.runs.machines import find_machine

        run = RunFolder.opened(user_path(place, what), imports=imports)
        model = find_machine(run, machine)
        found = run.read_precision(TrialKey.parse(trial), *model.machine.precision)
        return NamedWorkload(model=model, workload=found.workload, numbers=found.words, run=run)
    if path.is_dir():
        raise InputError(what, "a folder", f"a workload file, or a trial of a run: {what}:17")
    model = load_machine(machine, imports=imports)
    return NamedWorkload(model=model, workload=read_workload(path), numbers="", run=None)
