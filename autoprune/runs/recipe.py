"""The learning rates of fine-tuning that a run has chosen, and by what: recipe.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from autoprune.errors import InputError, RecordError
from autoprune.files import read_json, typed, write_text
from autoprune.trial.measurement import Score

Of = Literal["learning_rate", "neuron_learning_rate"]
"""What was chosen, as studies call it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A learning rate that was tried.

    Attributes:
        rate: at its highest.
        scores: on validation data, 0 to 1, by plan; None where the training failed.
        score: of all plans together, a plan that failed with nothing right.
    """

    rate: float
    scores: tuple[float | None, ...]
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One learning rate out of several, on the same plans and seeds.

    Attributes:
        of: which rate it is. plans: that were trained with each, in short form, milder ones first.
        attempts: by descending rate; at least one.
        given: the rate that the study has, one of them; None where it leaves it out.

    Raises InputError unless the attempts are so.
    """

    of: Of
    plans: tuple[str, ...]
    attempts: tuple[Attempt, ...]
    given: float | None = None

    def __post_init__(self) -> None:
        rates = [attempt.rate for attempt in self.attempts]
        if not rates or rates != sorted(set(rates), reverse=True):
            raise InputError("recipe", f"rates {rates}", "at least one, descending")
        if any(len(attempt.scores) != len(self.plans) for attempt in self.attempts):
            raise InputError("recipe", "an attempt without a score for every plan")

    @property
    def best(self) -> Attempt:
        """The attempt of the best score; of equal ones the highest rate, next to the parent's."""
        return max(self.attempts, key=lambda attempt: attempt.score.accuracy)

    @property
    def edge(self) -> Literal["", "highest", "lowest"]:
        """Whether the best is the highest or the lowest rate that was tried: no peak was seen."""
        if self.best == self.attempts[0]:
            return "highest"
        return "lowest" if self.best == self.attempts[-1] else ""

    @property
    def behind(self) -> Attempt | None:
        """The study's rate, where it is worse than the best outside both 95 % intervals."""
        own = next((attempt for attempt in self.attempts if attempt.rate == self.given), None)
        if own is None or self.best.score.interval[0] <= own.score.interval[1]:
            return None
        return own


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRates:
    """The learning rates of a run's fine-tuning, chosen by trainings.

    Attributes:
        choices: what was chosen, weights first; at least one.
        trainings: how many. seconds: that they took, one after the other.
    """

    choices: tuple[Choice, ...]
    trainings: int
    seconds: float

    @property
    def rates(self) -> Mapping[Of, float]:
        """What was chosen, by the keys of [finetune]."""
        return {choice.of: choice.best.rate for choice in self.choices}

    @property
    def doubts(self) -> list[str]:
        """What makes the choice doubtful, in words."""
        return [
            f"finetune.{c.of}: {c.best.rate:g} is the {c.edge} of {len(c.attempts)} rates that "
            "were tried; the best may lie beyond."
            for c in self.choices
            if c.edge
        ]

    def refuse_behind(self, where: str) -> None:
        """InputError, at `where`, for a rate of the study that is behind; see `Choice.behind`."""
        for choice in self.choices:
            if choice.behind is not None:
                own, best = choice.behind, choice.best
                raise InputError(
                    f"{where}: finetune.{choice.of}",
                    f"given {own.rate:g}, with {own.score.accuracy:.1%} on validation data",
                    f"{best.rate:g}, with {best.score.accuracy:.1%}",
                )


def write_chosen(chosen: ChosenRates, file: Path) -> None:
    """Write a file that `read_chosen` reads back equal."""
    write_text(file, json.dumps(asdict(chosen), indent=1))


def read_chosen(file: Path) -> ChosenRates | None:
    """What a run has chosen; None where it has not, or did not have to.

    Raises RecordError where the file is damaged.
    """
    if not file.is_file():
        return None
    data = read_json(file)
    try:
        choices = tuple(map(_choice, data.pop("choices")))
        return typed(ChosenRates(**data, choices=choices))
    except (AttributeError, LookupError, TypeError, ValueError, InputError) as error:
        raise RecordError(f"{file}: damaged ({error})") from error


def _choice(data: Mapping[str, Any]) -> Choice:
    return Choice(
        of=data["of"],
        given=data["given"],
        plans=tuple(data["plans"]),
        attempts=tuple(
            Attempt(rate=a["rate"], scores=tuple(a["scores"]), score=Score(**a["score"]))
            for a in data["attempts"]
        ),
    )
