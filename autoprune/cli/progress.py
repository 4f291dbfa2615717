"""What a run shows while it lasts: progress with the front, and the branches once known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self, final

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


@final
class Terminal:
    """An observer of a run that writes to the terminal.

    Where output is not a terminal, or one that cannot redraw a line (``TERM=dumb``), every tenth
    of the way is reported on a line of its own, and what takes longer than `QUIET_SECONDS`.
    """

    def __init__(self, console: Console) -> None:
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
        self._live = Live(console=console, transient=True, get_renderable=self._drawn)
        self._said, self._said_at = 0, console.get_time()

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
        self._progress.update(self._training, total=epochs, completed=epoch, visible=not done)
        left = self._left(self._training)
        self._progress.update(self._training, note=", ".join(("epochs", *left)))
        if not done:
            self._say(f"parent, epoch {epoch} of {epochs}", left)
        else:
            self._console.print(f"Parent trained for {epochs} epochs.")

    def tuning(self, done: int, total: int) -> None:
        """`done` of `total` trainings that choose learning rates are done; more may follow."""
        self._progress.update(self._tuning, total=total, completed=done, visible=done < total)
        left = self._left(self._tuning)
        note = ", ".join(("trainings that choose learning rates", *left))
        self._progress.update(self._tuning, note=note)
        self._say(f"recipe, training {done} of {total}", left)

    def recipe(self, chosen: ChosenRates) -> None:
        """The learning rates that are chosen, and what was tried."""
        self._progress.update(self._tuning, visible=False)
        self._console.print(recipe_table(chosen))

    def measuring(self, done: int, total: int) -> None:
        """`done` of `total` baselines are measured."""
        self._progress.update(self._baselines, total=total, completed=done, visible=done < total)
        left = self._left(self._baselines)
        note = ", ".join(("parent without each branch", *left))
        self._progress.update(self._baselines, note=note)
        self._say(f"baseline {done} of {total}", left)

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
        machine, members = next(iter(standing.fronts.items()))
        front = f"front {len(members)} on {machine}"
        front += f", best {100 * standing.best:.1f} %" if standing.best is not None else ""
        if members and done < trials:
            plot = text_plot([m.pair for m in members], members[0].validation.name)
            self._front = f"{front}\n{plot}"
        else:
            self._front = ""
        self._say(f"trial {done} of {trials}", [*notes, front], 10 * done // trials)

    def _left(self, task: TaskID) -> list[str]:
        """The time left, in words; none where no speed is known or nothing is left."""
        seconds = self._progress.tasks[task].time_remaining
        return [f"{timedelta(seconds=seconds)} left"] if seconds else []

    def _say(self, what: str, notes: Sequence[str], tenth: int = 0) -> None:
        """On a line of its own in a log, at a new tenth of the way or after a long silence."""
        now = self._console.get_time()
        silent = now - self._said_at >= QUIET_SECONDS
        if not self._console.is_interactive and (tenth > self._said or silent):
            self._said, self._said_at = max(self._said, tenth), now
            text = ": ".join((what, *([", ".join(notes)] if notes else ())))
            self._console.print(text, highlight=False)

    def _drawn(self) -> RenderableType:
        """What is redrawn in place; a terminal of few lines cuts it off from below."""
        return Group(self._progress, Text(self._front)) if self._front else self._progress
