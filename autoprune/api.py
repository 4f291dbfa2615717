"""`run` and OpenedRun: a study run and a run folder opened in Python, as the commands do it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autoprune.errors import InputError
from autoprune.report.front.candidates import RunFronts
from autoprune.report.front.front import MachineFront
from autoprune.report.front.pick import Limits, Pick, pick
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import distinct, find_machine, run_machines

if TYPE_CHECKING:
    import pandas as pd

    from autoprune.cost.cost import Cost
    from autoprune.report.front.compare import Comparison
    from autoprune.study.study import Study
    from autoprune.sweep.confirm import Confirmed
    from autoprune.sweep.progress import Observer


def run(  # noqa: PLR0913 - the options of `autoprune run`
    study: str | Path | Study,
    *,
    out: str | Path | None = None,
    trials: int | None = None,
    workers: int | None = None,
    address: str | None = None,
    minutes: float | None = None,
    observer: Observer | None = None,
) -> OpenedRun:
    """Run a study, or go on with it where it stopped, as `autoprune run` does; open the run.

    Args:
        study: the name of a bundled study, a TOML file, or a `Study`, whose space and machines are
            names or files of the current folder.
        out: the run folder; runs/STUDY where it is left out, which a `Study` value cannot do.
        trials: plans to train; the study's where it is left out.
        workers: trials at a time, 0 for this process; the study's where it is left out.
        address: HOST:PORT of a Ray cluster; RAY_ADDRESS, else a Ray of its own.
        minutes: when no more trials begin; those that run are finished.
        observer: who is told how far it is, see `autoprune.sweep.progress.Observer`.

    What the command prints as a note or a warning is a Python warning, also that the run was
    interrupted: by the time limit, or Ctrl-C. Raises InputError where something is wrong with the
    study, before anything trains, and RecordError where the folder is in use or cannot be written.
    """
    from autoprune.sweep.driver import run as run_prepared
    from autoprune.sweep.environment import what_changed
    from autoprune.sweep.prepare import prepare
    from autoprune.sweep.progress import Nobody
    from autoprune.sweep.ray.address import find_address
    from autoprune.sweep.stop import Stop

    given = str(study) if isinstance(study, Path) else study
    if out is None and not isinstance(given, str):
        raise InputError("run(study)", "a study that has no file", "out, the run folder")
    folder = Path("runs") / Path(str(given)).stem if out is None else Path(out).expanduser()
    prepared = prepare(given, trials, workers, find_address(address, workers))
    changed = what_changed(prepared, RunFolder(folder))
    other = ["the run goes on under another environment: " + "; ".join(changed)] if changed else []
    for text in (*prepared.notes, *other):
        warnings.warn(text, stacklevel=2)
    finished = run_prepared(prepared, folder, observer or Nobody(), Stop(minutes))
    left = ["interrupted: the same call goes on where it stopped"] * finished.interrupted
    for text in (*finished.warnings, *left):
        warnings.warn(text, stacklevel=2)
    return open_run(folder, imports=True)  # of the very study that was given


def open_run(path: str | Path, *, imports: bool = False) -> OpenedRun:
    """The run in a folder, also while it goes on; RecordError where there is none.

    `imports` allows to import classes of your own that only the folder names, such as a machine's.
    """
    return OpenedRun(path, imports=imports)


@final
class OpenedRun:
    """A recorded run.

    Args:
        path: its folder.
        imports: see `open_run`; without it what needs such a class raises InputError.

    Attributes:
        folder: its files.

    Raises RecordError where this is no run folder, or one of another version.
    """

    def __init__(self, path: str | Path, *, imports: bool = False) -> None:
        self.folder = RunFolder.opened(Path(path).expanduser(), imports=imports)

    def __repr__(self) -> str:
        """As it is opened."""
        return f"autoprune.open_run({str(self.folder.path)!r})"

    @property
    def machines(self) -> list[str]:
        """Names of the machines of the run."""
        return [model.machine.name for model in run_machines(self.folder)]

    def machine_front(self, machine: str) -> MachineFront:
        """The front of a machine with all that is said about it.

        `machine` is a name of the run's, of a bundled machine, or a TOML file. Raises InputError
        where there is none, RecordError without a fine-tuned parent, UnknownCost where the machine
        cannot run that.
        """
        folder = self.folder
        return RunFronts(folder, folder.read_heads()).of(find_machine(folder, machine))

    def front(self, machine: str) -> pd.DataFrame:
        """The front of a machine, by ascending energy; see `report.frames.front_frame`."""
        from autoprune.report.frames import front_frame

        return front_frame(self.machine_front(machine))

    def trials(self, *machines: str) -> pd.DataFrame:
        """All trials; see `autoprune.report.frames.trials_frame`.

        `machines` are as in `machine_front`; those of the run where none is given.
        """
        from autoprune.report.frames import trials_frame

        folder = self.folder
        models = [find_machine(folder, name) for name in machines] or run_machines(folder)
        named = {model.machine.name: model for model in models}
        return trials_frame(folder.read_heads(), named, folder.record.shape, folder.read)

    def pick(
        self,
        machine: str,
        *,
        max_energy_uj: float | None = None,
        min_accuracy: float | None = None,
        max_parameters: int | None = None,
        knee: bool = False,
    ) -> Pick:
        """The one trial to take for a machine, and why; see `autoprune.report.front.pick`."""
        limits = Limits(
            max_energy_uj=max_energy_uj, min_accuracy=min_accuracy, max_parameters=max_parameters
        )
        return pick(self.machine_front(machine), limits, at_knee=knee)

    def price(self, trial: int | str, machine: str) -> Cost:
        """What one inference of a trial costs, term by term: a number, or a baseline's name.

        `machine` is as in `machine_front`. Raises RecordError where there is no such trial.
        """
        model = find_machine(self.folder, machine)
        return model.price(self.folder.read_workload(str(trial), model.machine.weight_bits))

    def compare(self, *machines: str) -> Comparison:
        """The same trials on two or more machines; those of the run where none is given.

        `machines` are as in `machine_front`. Raises UnknownCost where one cannot price a trial.
        """
        from autoprune.report.front.compare import compare
        from autoprune.runs.columns import TrialColumns

        models = [find_machine(self.folder, name) for name in machines]
        trials = TrialColumns(self.folder)
        return compare(
            [trials.on(model) for model in distinct(models or run_machines(self.folder))]
        )

    def figure(self, machine: str) -> Any:
        """The front of a machine and all trials as a plotly figure."""
        from autoprune.report.plots.figure import front_figure

        return front_figure(self.machine_front(machine))

    def confirm(self, seeds: int = 3, workers: int | None = None) -> Confirmed:
        """The best trials again on fresh seeds, as `autoprune confirm` does; see there."""
        from autoprune.sweep.confirm import confirm

        return confirm(self.folder.path, seeds, workers, lambda done, total: None, None)
