"""Who watches a run, and what is shown of how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from autoprune.report.front.candidates import Candidate
from autoprune.runs.outcome import Outcome
from autoprune.runs.recipe import ChosenRates
from autoprune.trial.key import TrialKey

Fronts = Mapping[str, Sequence[Candidate]]
"""The trials on each machine's front; none of a machine that cannot price the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProgress:
    """How far a search is.

    Attributes:
        done: trials that are settled and count, of `trials` that the study asks for.
        running: that workers have. states: how trials have ended, with how many did.
        best: the best validation score; None while there is none.
        fronts: so far.
    """

    done: int
    trials: int
    running: int
    states: Mapping[str, int]
    best: float | None
    fronts: Fronts


class Observer(Protocol):
    """Who watches a run."""

    def training(self, epoch: int, epochs: int) -> None:
        """The parent has trained for `epoch` of `epochs`."""

    def tuning(self, done: int, total: int) -> None:
        """`done` of `total` trainings that choose learning rates are done; more may follow."""

    def recipe(self, chosen: ChosenRates) -> None:
        """The run's learning rates are chosen, now or when it began."""

    def measuring(self, done: int, total: int) -> None:
        """`done` of `total` baselines are measured."""

    def baselines(self, outcomes: dict[TrialKey, Outcome]) -> None:
        """All baselines are measured; the search begins."""

    def progress(self, standing: SearchProgress) -> None:
        """A trial has ended, or the search begins."""


class Nobody:
    """An observer that takes no notice."""

    def training(self, epoch: int, epochs: int) -> None:
        """Nothing."""

    def tuning(self, done: int, total: int) -> None:
        """Nothing."""

    def recipe(self, chosen: ChosenRates) -> None:
        """Nothing."""

    def measuring(self, done: int, total: int) -> None:
        """Nothing."""

    def baselines(self, outcomes: dict[TrialKey, Outcome]) -> None:
        """Nothing."""

    def progress(self, standing: SearchProgress) -> None:
        """Nothing."""
