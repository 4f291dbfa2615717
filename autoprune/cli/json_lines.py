"""What a run says to a script: one JSON object per event, each on a line of its own."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import final

import click

from autoprune.runs.outcome import Outcome
from autoprune.runs.recipe import ChosenRates
from autoprune.sweep.progress import SearchProgress
from autoprune.trial.key import TrialKey


@final
class JsonLines:
    """An observer of a run that writes events to stdout, as they happen."""

    def training(self, epoch: int, epochs: int) -> None:
        """The parent has trained for `epoch` of `epochs`."""
        write_event("training", epoch=epoch, epochs=epochs)

    def tuning(self, done: int, total: int) -> None:
        """`done` of `total` trainings that choose learning rates are done; more may follow."""
        write_event("tuning", done=done, total=total)

    def recipe(self, chosen: ChosenRates) -> None:
        """The learning rates that are chosen, and what was tried."""
        write_event("recipe", rates=dict(chosen.rates), **asdict(chosen))

    def measuring(self, done: int, total: int) -> None:
        """`done` of `total` baselines are measured."""
        write_event("measuring", done=done, total=total)

    def baselines(self, outcomes: dict[TrialKey, Outcome]) -> None:
        """All baselines are measured; their validation scores by key."""
        found = {
            str(key): outcome.measurement.validation.accuracy
            for key, outcome in outcomes.items()
            if outcome.measurement
        }
        write_event("baselines", scores=found)

    def progress(self, standing: SearchProgress) -> None:
        """How many trials are settled, running, and ended in which way; the fronts so far."""
        write_event(
            "progress",
            done=standing.done,
            trials=standing.trials,
            running=standing.running,
            states=standing.states,
            best=standing.best,
            fronts={
                name: list(dict.fromkeys(m.key.number for m in found))
                for name, found in standing.fronts.items()
            },
        )


def write_event(event: str, **values: object) -> None:
    """One event, as a line that is flushed."""
    click.echo(json.dumps({"event": event, **values}))
