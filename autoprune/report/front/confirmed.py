"""ConfirmedFront: the members of a machine's front, by what they reached on fresh seeds.

What is chosen by some results and judged by the same ones is judged too well. So the first half of
a member's seeds, rounded down, and what the search expects of it choose who stays, and the other
seeds alone say what it is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autoprune.cost.model import CostModel
from autoprune.report.front.front import MachineFront, Row
from autoprune.report.front.priced import Measured, price_outcomes
from autoprune.runs.outcome import Origin, Outcome
from autoprune.runs.pareto import front_hypervolume, non_dominated
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Score

DRAWS = 2000
"""Draws of the bootstrap: a probability of one half is known to within 0.011 (standard error)."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Mean and standard deviation over seeds; the deviation of a single seed is None."""

    mean: float
    std: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of one value per seed; the deviation is that of a sample (n - 1)."""
        std = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return cls(mean=float(np.mean(values)), std=std)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedRow:
    """One trial on fresh seeds.

    Attributes:
        trial: as in the front. origin, plan: as in the front.
        searched: its validation score in the search. expected: what all trials of the search lead
            one to expect of it.
        choosing, seeds: how many fresh ones choose, and how many the rest is of.
        validation, test: scores. energy_uj: per inference; it varies as the spikes do.
        probability: to be on the front, see `confirmed_front`.
        stays: whether it is on the front of those that choose.
    """

    trial: int | str
    origin: Origin
    plan: str
    searched: Score
    expected: float
    choosing: int
    seeds: int
    validation: Spread
    test: Spread
    energy_uj: Spread
    probability: float
    stays: bool

    @property
    def key(self) -> TrialKey:
        """Its key in the run."""
        return TrialKey.parse(str(self.trial))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedFront:
    """The members of one machine's front.

    Attributes:
        machine: its name. score: name of the score.
        rows: by ascending mean energy.
        reference: as in the front; from the search's fine-tuned parent.
        hypervolume: of the means of what stays. searched_hypervolume: of the search.
    """

    machine: str
    score: str
    rows: tuple[ConfirmedRow, ...]
    reference: tuple[float, float]
    hypervolume: float
    searched_hypervolume: float


def confirmed_front(
    front: MachineFront, again: Sequence[Outcome], model: CostModel
) -> ConfirmedFront:
    """What members are worth by their repetitions.

    The probability of a trial to be on the front is the share of bootstrap draws in which no other
    member dominates its mean. A draw takes seeds with replacement, the same number as there are of
    the trial, and of each seed the correct samples from a binomial distribution. Samples are drawn
    for each trial by itself, though all of them see the same ones: the probability says rather too
    little of a difference than too much. A trial whose repetitions all failed is left out.
    """
    runs = _repetitions(front, again, model)
    members = [row for row in front.rows if row.trial in runs]
    chosen = non_dominated([_choosing(row, runs[row.trial]) for row in members])
    staying = {members[place].trial for place in chosen}
    odds = _probabilities([runs[row.trial] for row in members])
    rows = [
        _row(row, runs[row.trial], probability, stays=row.trial in staying)
        for row, probability in zip(members, odds, strict=True)
    ]
    return ConfirmedFront(
        machine=front.machine,
        score=front.parent.name,
        rows=tuple(sorted(rows, key=lambda row: (row.energy_uj.mean, row.key))),
        reference=front.reference,
        hypervolume=front_hypervolume(
            [(row.validation.mean, row.energy_uj.mean) for row in rows if row.stays],
            front.reference,
        ),
        searched_hypervolume=front.hypervolume,
    )


def _repetitions(
    front: MachineFront, again: Sequence[Outcome], model: CostModel
) -> dict[int | str, list[Measured]]:
    """Further trainings of each member that has some, priced, in their order."""
    keys = [row.key for row in front.rows]
    read = [o.after(key.after) for key in keys for o in again if o.key.number == key.number]
    priced, _ = price_outcomes(sorted(read, key=lambda outcome: outcome.key), model)
    found: dict[int | str, list[Measured]] = {}
    for item in priced:
        found.setdefault(replace(item.outcome.key, repetition=None).cell, []).append(item)
    return found


def _choosing(row: Row, items: Sequence[Measured]) -> tuple[float, float]:
    """Mean score and energy of the search, as expected, and of the seeds that choose."""
    half = items[: len(items) // 2]
    scores, energies = [row.worth, *_scores(half)], [row.energy_uj, *_energies(half)]
    return Spread.of(scores).mean, Spread.of(energies).mean


def _row(row: Row, items: Sequence[Measured], probability: float, *, stays: bool) -> ConfirmedRow:
    choosing = len(items) // 2
    judged = items[choosing:]
    return ConfirmedRow(
        trial=row.trial,
        origin=row.origin,
        plan=row.plan,
        searched=row.validation,
        expected=row.worth,
        choosing=choosing,
        seeds=len(judged),
        validation=Spread.of(_scores(judged)),
        test=Spread.of([s.accuracy for item in judged if (s := item.measured.test)]),
        energy_uj=Spread.of(_energies(judged)),
        probability=probability,
        stays=stays,
    )


def _energies(items: Sequence[Measured]) -> list[float]:
    return [item.energy_uj for item in items]


def _scores(items: Sequence[Measured]) -> list[float]:
    return [item.measured.validation.accuracy for item in items]


def _probabilities(runs: Sequence[Sequence[Measured]]) -> list[float]:
    """Per trial, the share of bootstrap draws in which it is on the front."""
    rng = np.random.default_rng(0)  # the same record gives the same report
    scores, energies = np.empty((len(runs), DRAWS)), np.empty((len(runs), DRAWS))
    for place, items in enumerate(runs):
        chosen = rng.integers(len(items), size=(DRAWS, len(items)))
        totals = np.array([item.measured.validation.total for item in items])
        correct = rng.binomial(totals[chosen], np.array(_scores(items))[chosen])
        scores[place] = (correct / totals[chosen]).mean(1)
        energies[place] = np.array([item.energy_uj for item in items])[chosen].mean(1)
    on_front = np.zeros(len(runs))
    for draw in range(DRAWS):
        on_front[non_dominated([*zip(scores[:, draw], energies[:, draw], strict=True)])] += 1
    return [float(share) for share in on_front / DRAWS]
