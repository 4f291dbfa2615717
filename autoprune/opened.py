"""OpenedRun: a run folder in Python, as the commands see it: fronts, trials, a pick, a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from autoprune.report.candidates import run_front
from autoprune.report.front import MachineFront
from autoprune.report.pick import Limits, Pick, pick
from autoprune.run_folder import RunFolder
from autoprune.run_machines import find_machine, run_machines

if TYPE_CHECKING:
    import pandas as pd

    from autoprune.confirm import Confirmed


def open_run(path: str | Path) -> OpenedRun:
    """The run in a folder, also while it goes on; RecordError where there is none."""
    return OpenedRun(path)


@final
class OpenedRun:
    """A recorded run.

    Args:
        path: its folder.

    Attributes:
        folder: its files.

    Raises RecordError where this is no run folder, or one of another version.
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = RunFolder(Path(path).expanduser())
        self.folder.read_study()

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
        return run_front(folder, folder.read_heads(), find_machine(folder, machine))

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
        return trials_frame(folder.read_trials(), {m.machine.name: m for m in models}, folder.shape)

    def pick(
        self,
        machine: str,
        *,
        max_energy_uj: float | None = None,
        min_accuracy: float | None = None,
        max_parameters: int | None = None,
        knee: bool = False,
    ) -> Pick:
        """The one trial to take for a machine, and why; see `autoprune.report.pick`."""
        limits = Limits(
            max_energy_uj=max_energy_uj, min_accuracy=min_accuracy, max_parameters=max_parameters
        )
        return pick(self.machine_front(machine), limits, at_knee=knee)

    def figure(self, machine: str) -> Any:
        """The front of a machine and all trials as a plotly figure."""
        from autoprune.report.figure import front_figure

        return front_figure(self.machine_front(machine))

    def confirm(self, seeds: int = 3, workers: int | None = None) -> Confirmed:
        """The best trials again on fresh seeds, as `autoprune confirm` does; see there."""
        from autoprune.confirm import confirm

        return confirm(self.folder.path, seeds, workers, lambda done, total: None, None)
