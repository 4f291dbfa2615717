"""What a run shows while it lasts: a progress line, and the table of branches once known."""

from __future__ import annotations

from types import TracebackType
from typing import Self, final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from autoprune.outcome import Outcome
from autoprune.report.tables import branch_table
from autoprune.tracker import Standing


@final
class Terminal:
    """An observer of a run that writes to the terminal.

    Where output is not a terminal there is no line that could be redrawn; then every tenth of
    the way is reported on a line of its own.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._training = self._progress.add_task("Parent", total=1, visible=False, note="")
        self._baselines = self._progress.add_task("Baselines", total=1, visible=False, note="")
        self._trials = self._progress.add_task("Trials", total=1, visible=False, note="")
        self._said = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def training(self, epoch: int, epochs: int) -> None:
        """The parent has trained for `epoch` of `epochs`."""
        done = epoch >= epochs
        self._progress.update(
            self._training, total=epochs, completed=epoch, visible=not done, note="epochs"
        )
        if done:
            self._console.print(f"Parent trained for {epochs} epochs and cached.")

    def measuring(self, done: int, total: int) -> None:
        """`done` of `total` baselines are measured."""
        self._progress.update(
            self._baselines,
            total=total,
            completed=done,
            visible=done < total,
            note="parent without each branch",
        )

    def baselines(self, outcomes: dict[str, Outcome]) -> None:
        """All baselines are measured: what each branch carries is printed before the search."""
        self._console.print(branch_table(outcomes))

    def progress(self, standing: Standing) -> None:
        """How many trials are settled, running and failed, and what the front is so far."""
        done, trials = standing.done, standing.trials
        machine, members = next(iter(standing.fronts.items()))
        note = f"{standing.running} running, " if standing.running else ""
        note += f"front {len(members)} on {machine}"
        note += f", best {100 * standing.best:.1f} %" if standing.best is not None else ""
        failed = standing.states.get("failed", 0)
        note += f", {failed} failed" if failed else ""
        self._progress.update(
            self._trials, total=trials, completed=done, visible=done < trials, note=note
        )
        tenth = 10 * done // trials
        if not self._console.is_terminal and tenth > self._said:
            self._said = tenth
            self._console.print(f"trial {done} of {trials}: {note}")
