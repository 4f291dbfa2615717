"""What a run shows while it lasts: progress with the front, and the branches once known."""

from __future__ import annotations

import time
from datetime import timedelta
from types import TracebackType
from typing import Self, final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from autoprune.outcome import Outcome
from autoprune.report.tables import branch_table
from autoprune.report.text_plot import text_plot
from autoprune.tracker import Standing

QUIET_SECONDS = 300.0
"""A log says how far the run is at every tenth of the way, and after so long without a line."""

_WHOLE_RUN = 1e9
"""Seconds over which the speed is averaged: rich's 30 hold less than two trials that take long."""


@final
class Terminal:
    """An observer of a run that writes to the terminal.

    Where output is not a terminal, or one that cannot redraw a line (``TERM=dumb``), every tenth
    of the way is reported on a line of its own, and what takes longer than `QUIET_SECONDS`.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
            speed_estimate_period=_WHOLE_RUN,
        )
        self._training = self._progress.add_task("Parent", total=1, visible=False, note="")
        self._baselines = self._progress.add_task("Baselines", total=1, visible=False, note="")
        self._trials = self._progress.add_task("Trials", total=1, visible=False, note="")
        self._front = ""
        self._live = Live(console=console, transient=True, get_renderable=self._drawn)
        self._said, self._said_at = 0, time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_interactive:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

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
        """How many trials are settled, running and failed, time left, and the front so far."""
        done, trials = standing.done, standing.trials
        self._progress.update(self._trials, total=trials, completed=done, visible=done < trials)
        remaining = self._progress.tasks[self._trials].time_remaining
        failed = standing.states.get("failed", 0)
        note = ", ".join(
            (
                *([f"{standing.running} running"] if standing.running else ()),
                *([f"{failed} failed"] if failed else ()),
                *([f"{timedelta(seconds=remaining)} left"] if remaining else ()),
            )
        )
        self._progress.update(self._trials, note=note)
        machine, members = next(iter(standing.fronts.items()))
        front = f"front {len(members)} on {machine}"
        front += f", best {100 * standing.best:.1f} %" if standing.best is not None else ""
        if members and done < trials:
            plot = text_plot([m.pair for m in members], members[0].validation.name)
            self._front = f"{front}\n{plot}"
        else:
            self._front = ""
        if not self._console.is_interactive:
            self._say(done, trials, ", ".join((*([note] if note else ()), front)))

    def _say(self, done: int, trials: int, note: str) -> None:
        """On a line of its own, where it is time for one."""
        tenth, now = 10 * done // trials, time.monotonic()
        if tenth > self._said or now - self._said_at >= QUIET_SECONDS:
            self._said, self._said_at = tenth, now
            self._console.print(f"trial {done} of {trials}: {note}", highlight=False)

    def _drawn(self) -> RenderableType:
        """What is redrawn in place; a terminal of few lines cuts it off from below."""
        return Group(self._progress, Text(self._front)) if self._front else self._progress
