"""ConfirmedFront: the contenders of a machine's front, by what they reached on fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autoprune.cost.model import CostModel
from autoprune.report.front.front import MachineFront
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
        searched: its validation score in the search. on_front: whether it was on the front there.
        seeds: how many fresh ones there are.
        validation, test: scores. energy_uj: per inference; it varies as the spikes do.
        probability: to be on the front, see `confirmed_front`.
        stays: whether it is on the front of the confirmed means.
    """

    trial: int | str
    origin: Origin
    plan: str
    searched: Score
    on_front: bool
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
    """The contenders of one machine's front.

    Attributes:
        machine: its name. score: name of the score.
        rows: by ascending mean energy.
        reference: as in the front; from the search's fine-tuned parent.
        hypervolume: of the confirmed means. searched_hypervolume: of the search.
    """

    machine: str
    score: str
    rows: tuple[ConfirmedRow, ...]
    reference: tuple[float, float]
    hypervolume: float
    searched_hypervolume: float


def contenders(front: MachineFront) -> list[TrialKey]:
    """Keys of the front's members, and of every trial within its noise of them.

    Within the noise is a trial whose Wilson interval reaches the score of the best member that
    needs no more energy.
    """
    found = []
    members = {row.trial for row in front.rows}
    for row in front.points:
        beaten = [m.validation.accuracy for m in front.rows if m.energy_uj <= row.energy_uj]
        if row.trial in members or row.validation.interval[1] >= max(beaten):
            found.append(row.key)
    return found


def confirmed_front(
    front: MachineFront, again: Sequence[Outcome], model: CostModel
) -> ConfirmedFront:
    """What contenders are worth by their repetitions.

    The probability of a trial to be on the front is the share of bootstrap draws in which no other
    contender dominates its mean. A draw takes seeds with replacement, the same number as there are
    of the trial, and of each seed the correct samples from a binomial distribution. Samples are
    drawn for each trial by itself, though all of them see the same ones: the probability says
    rather too little of a difference than too much. A trial whose repetitions all failed is left
    out.
    """
    members = {row.trial for row in front.rows}
    wanted = contenders(front)
    points = {row.trial: row for row in front.points if row.key in wanted}
    read = [o.after(key.after) for key in wanted for o in again if o.key.number == key.number]
    priced, _ = price_outcomes(read, model)
    by_trial: dict[int | str, list[Measured]] = {}
    for item in priced:
        key = replace(item.outcome.key, repetition=None)
        by_trial.setdefault(key.cell, []).append(item)
    runs = {trial: runs for trial, runs in by_trial.items() if trial in points}
    means = [
        (Spread.of(_scores(r)).mean, Spread.of([item.energy_uj for item in r]).mean)
        for r in runs.values()
    ]
    staying = {list(runs)[i] for i in non_dominated(means)}
    rows = [
        ConfirmedRow(
            trial=trial,
            origin=points[trial].origin,
            plan=points[trial].plan,
            searched=points[trial].validation,
            on_front=trial in members,
            seeds=len(items),
            validation=Spread.of(_scores(items)),
            test=Spread.of([s.accuracy for item in items if (s := item.measured.test)]),
            energy_uj=Spread.of([item.energy_uj for item in items]),
            probability=probability,
            stays=trial in staying,
        )
        for (trial, items), probability in zip(
            runs.items(), _probabilities(list(runs.values())), strict=True
        )
    ]
    return ConfirmedFront(
        machine=front.machine,
        score=front.parent.name,
        rows=tuple(sorted(rows, key=lambda row: (row.energy_uj.mean, row.key))),
        reference=front.reference,
        hypervolume=front_hypervolume(means, front.reference),
        searched_hypervolume=front.hypervolume,
    )


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
