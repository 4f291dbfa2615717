"""Compare machines on the same trials: who is on whose front, and where they order differently."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from autoprune.config import Json
from autoprune.cost.cost import UnknownCost
from autoprune.cost.model import CostModel
from autoprune.report.front.order import kendall_tau
from autoprune.report.rows import SCHEMA
from autoprune.runs.columns import Priced, TrialColumns
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import distinct, on_each
from autoprune.trial.key import TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A trial that is cheap on one machine and dear on another: its places by energy."""

    trial: TrialKey
    first: int
    second: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison:
    """What several machines make of the same trials.

    Attributes:
        trials: keys of those that were measured.
        energy_uj: of them by machine, per inference; not a number where a trial is infeasible.
        fronts: by machine.
        infeasible: trials that a machine cannot run. apart: that it can, and that are no answer
            there, see `autoprune.runs.own_work`. The rest is about those that are one on all.
        shared: trials that are on all fronts.
        correlation: Kendall's tau-b of the energies of all trials, by pair of machines: 1 where
            they order all alike, -1 where they order all the other way round; None where one
            charges all the same.
        disagreements: by pair, the trials whose places differ most, at most five.
        failed: why a machine cannot price the trials.
    """

    trials: tuple[TrialKey, ...]
    energy_uj: Mapping[str, Mapping[TrialKey, float]]
    fronts: Mapping[str, Sequence[TrialKey]]
    infeasible: Mapping[str, tuple[TrialKey, ...]]
    apart: Mapping[str, tuple[TrialKey, ...]]
    shared: tuple[TrialKey, ...]
    correlation: Mapping[tuple[str, str], float | None]
    disagreements: Mapping[tuple[str, str], tuple[Disagreement, ...]]
    failed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """In a line: the machines, and what is on all fronts."""
        shared = ", ".join(map(str, self.shared)) or "none"
        return f"<{len(self.trials)} trials on {', '.join(self.fronts)}; on all fronts: {shared}>"

    def to_dict(self) -> dict[str, Json]:
        """It as JSON values."""
        return {
            "schema": SCHEMA,
            "fronts": _keys(self.fronts),
            "infeasible": _keys(self.infeasible),
            "mostly_on_host": _keys(self.apart),
            "on_all_fronts": [key.cell for key in self.shared],
            "pairs": [
                {
                    "machines": pair,
                    "kendall_tau": tau,
                    "disagreements": [
                        {**asdict(item), "trial": item.trial.cell}
                        for item in self.disagreements[pair]
                    ],
                }
                for pair, tau in self.correlation.items()
            ],
            "trials": [
                {"trial": key.cell}
                | {
                    f"energy_uj@{machine}": None if math.isnan(found[key]) else found[key]
                    for machine, found in self.energy_uj.items()
                }
                for key in self.trials
            ],
            "failed": self.failed,
        }


def read_comparison(folder: RunFolder, models: Sequence[CostModel]) -> Comparison:
    """The trials of a run on two or more machines, and why some cannot price them.

    Raises UnknownCost unless two can, and InputError unless two are given, each once.
    """
    priced, failed = on_each(distinct(models), TrialColumns(folder).on)
    if len(priced) < 2:
        raise UnknownCost("; ".join(failed))
    return compare(priced, failed)


def compare(machines: Sequence[Priced], failed: Sequence[str] = ()) -> Comparison:
    """Compare machines that priced the same trials; `failed` says why others could not."""
    trials = machines[0].trials
    energy_uj = {
        priced.machine: dict(zip(priced.trials, priced.energy_uj.tolist(), strict=True))
        for priced in machines
    }
    infeasible = {priced.machine: priced.only(~priced.feasible).trials for priced in machines}
    apart = {p.machine: p.only(p.feasible & ~p.answers).trials for p in machines}
    every = np.logical_and.reduce([priced.answers for priced in machines])
    machines = [priced.only(every) for priced in machines]
    fronts = {priced.machine: priced.front for priced in machines}
    common = set.intersection(*(set(front) for front in fronts.values()))
    pairs = list(itertools.combinations(machines, 2))
    return Comparison(
        trials=trials,
        energy_uj=energy_uj,
        failed=tuple(failed),
        fronts=fronts,
        infeasible={name: keys for name, keys in infeasible.items() if keys},
        apart={name: keys for name, keys in apart.items() if keys},
        shared=tuple(trial for trial in machines[0].trials if trial in common),
        correlation={
            (a.machine, b.machine): kendall_tau(a.energy_uj, b.energy_uj) for a, b in pairs
        },
        disagreements={(a.machine, b.machine): _disagreements(a, b) for a, b in pairs},
    )


def _keys(found: Mapping[str, Sequence[TrialKey]]) -> dict[str, Json]:
    return {name: [key.cell for key in keys] for name, keys in found.items()}


def _disagreements(a: Priced, b: Priced) -> tuple[Disagreement, ...]:
    first, second = a.ranks, b.ranks
    found = [Disagreement(trial=t, first=first[t], second=second[t]) for t in a.trials]
    found = [item for item in found if item.first != item.second]
    return tuple(sorted(found, key=lambda item: -abs(item.first - item.second))[:5])
