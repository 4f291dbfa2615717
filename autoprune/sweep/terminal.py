"""What a run shows while it lasts: progress with the front, and the branches once known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self, final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from autoprune.report.plots.text import text_plot
from autoprune.report.tables.branches import branch_table
from autoprune.report.tables.recipe import recipe_table
from autoprune.runs.outcome import Outcome
from autoprune.runs.recipe import ChosenRates
from autoprune.sweep.progress import SearchProgress
from autoprune.trial.key import TrialKey

QUIET_SECONDS = 300.0
"""A log says how far the run is at every tenth of the way, and after so long without a line."""

_WHOLE_RUN = 1e9
"""Seconds over which the speed is averaged: rich's 30 hold less than two trials that take long."""


class Redrawn(Protocol):
    """A place that shows how things stand now, over what it showed before."""

    def start(self) -> None:
        """Show it from now on."""

    def refresh(self) -> None:
        """Show it anew."""

    def stop(self) -> None:
        """Show nothing more."""


@final
class Terminal:
    """An observer of a run that writes to a console, and how far it is to a place of its own.

    That place is `redrawn`, given what is to be shown there; else the last lines of a terminal.
    Where output is not a terminal, or one that cannot redraw a line (``TERM=dumb``), every tenth
    of the way is reported on a line of its own, and what takes longer than `QUIET_SECONDS`.
    """

    def __init__(
        self,
        console: Console,
        redrawn: Callable[[Callable[[], RenderableType]], Redrawn] | None = None,
    ) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=16),
            TextColumn("{task.completed:.0f}/{task.total:.0f}", markup=False),
            TextColumn("{task.fields[note]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            get_time=console.get_time,
            speed_estimate_period=_WHOLE_RUN,
        )
        self._training = self._progress.add_task("Parent", total=1, visible=False, note="")
        self._tuning = self._progress.add_task("Recipe", total=1, visible=False, note="")
        self._baselines = self._progress.add_task("Baselines", total=1, visible=False, note="")
        self._trials = self._progress.add_task("Trials", total=1, visible=False, note="")
        self._front = ""
        self._redraws = redrawn is not None or console.is_interactive
        self._redrawn: Redrawn = (
            redrawn(self._drawn)
            if redrawn is not None
            else Live(console=console, transient=True, get_renderable=self._drawn)
        )
        self._said, self._said_at = 0, console.get_time()

    def __enter__(self) -> Self:
        if self._redraws:
            self._redrawn.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._redraws:
            self._redrawn.stop()

    def training(self, epoch: int, epochs: int) -> None:
        """The parent has trained for `epoch` of `epochs`."""
        if epoch < epochs:
            self._advance(self._training, epoch, epochs, "epochs", "parent, epoch")
        else:
            self._progress.update(self._training, visible=False)
            self._console.print(f"Parent trained for {epochs} epochs.")

    def tuning(self, done: int, total: int) -> None:
        """`done` of `total` trainings that choose learning rates are done; more may follow."""
        counted = "trainings that choose learning rates"
        self._advance(self._tuning, done, total, counted, "recipe, training")

    def recipe(self, chosen: ChosenRates) -> None:
        """The learning rates that are chosen, and what was tried."""
        self._progress.update(self._tuning, visible=False)
        self._console.print(recipe_table(chosen))

    def measuring(self, done: int, total: int) -> None:
        """`done` of `total` baselines are measured."""
        self._advance(self._baselines, done, total, "parent without each branch", "baseline")

    def baselines(self, outcomes: dict[TrialKey, Outcome]) -> None:
        """All baselines are measured: what each branch carries is printed before the search."""
        self._console.print(branch_table(outcomes))

    def progress(self, standing: SearchProgress) -> None:
        """How many trials are settled, running and failed, time left, and the front so far."""
        done, trials = standing.done, standing.trials
        self._progress.update(self._trials, total=trials, completed=done, visible=done < trials)
        failed = standing.states.get("failed", 0)
        notes = [f"{standing.running} running"] if standing.running else []
        notes += [f"{failed} failed"] if failed else []
        notes += self._left(self._trials)
        self._progress.update(self._trials, note=", ".join(notes))
        machine, members = next(iter(standing.fronts.items()), ("", []))
        found = [f"front {len(members)} on {machine}"] if machine else []
        found += [f"best {100 * standing.best:.1f} %"] if standing.best is not None else []
        front = ", ".join(found)
        if members and done < trials:
            plot = text_plot([m.pair for m in members], members[0].validation.name)
            self._front = f"{front}\n{plot}"
        else:
            self._front = ""
        self._say(f"trial {done} of {trials}", [*notes, front], 10 * done // trials)

    def _advance(self, task: TaskID, done: int, total: int, counted: str, said: str) -> None:
        """`done` of `total`: of what is `counted` where it is redrawn, as `said` in a log."""
        self._progress.update(task, total=total, completed=done, visible=done < total)
        left = self._left(task)
        self._progress.update(task, note=", ".join((counted, *left)))
        self._say(f"{said} {done} of {total}", left)

    def _left(self, task: TaskID) -> list[str]:
        """The time left, in words; none where no speed is known or nothing is left."""
        seconds = self._progress.tasks[task].time_remaining
        return [f"{timedelta(seconds=seconds)} left"] if seconds else []

    def _say(self, what: str, notes: Sequence[str], tenth: int = 0) -> None:
        """How it stands: anew where that is redrawn.

        In a log on a line of its own, at a new tenth of the way or after a long silence.
        """
        if self._redraws:
            self._redrawn.refresh()
            return
        now = self._console.get_time()
        silent = now - self._said_at >= QUIET_SECONDS
        if tenth > self._said or silent:
            self._said, self._said_at = max(self._said, tenth), now
            text = ": ".join((what, *([", ".join(notes)] if notes else ())))
            self._console.print(text, highlight=False)

    def _drawn(self) -> RenderableType:
        """What is redrawn in place; a terminal of few lines cuts it off from below."""
        return Group(self._progress, Text(self._front)) if self._front else self._progress
