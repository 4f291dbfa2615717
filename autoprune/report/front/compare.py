"""Compare machines on the same trials: who is on whose front, and where they order differently."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau

from autoprune.runs.columns import Priced


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A trial that is cheap on one machine and dear on another: its places by energy."""

    trial: str
    first: int
    second: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What several machines make of the same trials.

    Attributes:
        fronts: by machine.
        infeasible: trials that a machine cannot run; the rest is about those that all can.
        shared: trials that are on all fronts.
        correlation: Kendall's tau-b of the energies of all trials, by pair of machines: 1 where
            they order all alike, -1 where they order all the other way round; not a number where
            one charges all the same.
        disagreements: by pair, the trials whose places differ most, at most five.
    """

    fronts: Mapping[str, Sequence[str]]
    infeasible: Mapping[str, tuple[str, ...]]
    shared: tuple[str, ...]
    correlation: Mapping[tuple[str, str], float]
    disagreements: Mapping[tuple[str, str], tuple[Disagreement, ...]]


def compare(machines: Sequence[Priced]) -> Comparison:
    """Compare machines that priced the same trials."""
    infeasible = {
        priced.machine: priced.only(~priced.feasible).trials
        for priced in machines
        if not priced.feasible.all()
    }
    every = np.logical_and.reduce([priced.feasible for priced in machines])
    machines = [priced.only(every) for priced in machines]
    fronts = {priced.machine: priced.front for priced in machines}
    common = set.intersection(*(set(front) for front in fronts.values()))
    pairs = list(itertools.combinations(machines, 2))
    return Comparison(
        fronts=fronts,
        infeasible=infeasible,
        shared=tuple(trial for trial in machines[0].trials if trial in common),
        correlation={(a.machine, b.machine): _tau(a, b) for a, b in pairs},
        disagreements={(a.machine, b.machine): _disagreements(a, b) for a, b in pairs},
    )


def _tau(a: Priced, b: Priced) -> float:
    with np.errstate(all="ignore"):
        return float(kendalltau(a.energy_uj, b.energy_uj).statistic)


def _disagreements(a: Priced, b: Priced) -> tuple[Disagreement, ...]:
    first, second = a.ranks, b.ranks
    found = [Disagreement(trial=t, first=first[t], second=second[t]) for t in a.trials]
    found = [item for item in found if item.first != item.second]
    return tuple(sorted(found, key=lambda item: -abs(item.first - item.second))[:5])
