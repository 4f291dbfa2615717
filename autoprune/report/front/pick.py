"""Pick: the one trial to take for a machine within given limits, and why; or what is in the way.

Without limits, or where it is asked for, the knee of what keeps the limits (`report.knee`). With a
least accuracy alone the cheapest trial that has it; with any other limits the most accurate trial
that keeps them, the cheaper of equals. Accuracy is what is expected of a trial, as on the front
(`autoprune.runs.posterior`); as it was measured where too few trials say so. All trials compete,
not only members of the front: the smallest network may be on none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from autoprune.config import Json
from autoprune.errors import InputError
from autoprune.report.front.front import MachineFront, Row
from autoprune.report.front.knee import knee
from autoprune.report.rows import SCHEMA, front_cells
from autoprune.report.units import energy_words
from autoprune.runs.budget import Budget
from autoprune.runs.pareto import non_dominated

RUNNERS_UP = 3
"""How many are named at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a trial has to keep; None is no limit.

    Attributes:
        max_energy_uj: per inference on the machine.
        min_accuracy: of validation, 0 to 1, or least value of the study's own score, as expected.
        max_parameters: parameters that are not zero.

    Raises InputError for a number that is none of these, or that no network can keep.
    """

    max_energy_uj: float | None = None
    min_accuracy: float | None = None
    max_parameters: int | None = None

    def __post_init__(self) -> None:
        allowed = {
            "max_energy_uj": (5e-324, 1e300, "a number above 0"),
            "min_accuracy": (0, 1, "0 to 1"),
            "max_parameters": (1, 10**18, "a number above 0"),
        }
        for name, (least, most, expected) in allowed.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                raise InputError(name, f"given {value}", expected)

    def budgets(self, score: str, machine: str) -> Mapping[str, Budget]:
        """The limits that are given, by the field of a `Row` that each bounds."""
        bounds = {
            "accuracy": (score, False, self.min_accuracy),
            "energy_uj": (f"energy_uj@{machine}", True, self.max_energy_uj),
            "parameters": ("parameters", True, self.max_parameters),
        }
        return {
            field: Budget(metric=metric, most=most, bound=float(bound))
            for field, (metric, most, bound) in bounds.items()
            if bound is not None
        }


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pick:
    """What to take for a machine.

    Attributes:
        machine: its name.
        row: the trial; None where nothing fits.
        reason: why this one, or what is in the way, in words.
        remarks: what has to be known of it: what a host does of its work, and what was no answer.
        fits: as in `Diagnostics`, of a trial of a run.
        runners_up: the next best that fit, at most RUNNERS_UP.
        binding: the limit that keeps the nearest trial out, as ``parameters <= 20000``; empty where
            a trial fits.
        beyond: by what share of that limit; 0 where a trial fits.
        nearest: the trial whose largest excess over any limit is the least; None where one fits.
        export: the command that exports the trial of a run; empty where there is none.
    """

    machine: str
    row: Row | None
    reason: str
    remarks: tuple[str, ...] = ()
    fits: str | None = None
    runners_up: tuple[Row, ...] = ()
    binding: str = ""
    beyond: float = 0.0
    nearest: Row | None = None
    export: str = ""

    def __repr__(self) -> str:
        """In a line: the machine, the trial and what it needs."""
        if self.row is None:
            return f"<pick for {self.machine}: nothing fits>"
        score, energy = self.row.worth, energy_words(self.row.energy_uj)
        return f"<pick for {self.machine}: trial {self.row.trial}, {100 * score:.1f} %, {energy}>"

    def _repr_html_(self) -> str:
        from autoprune.report.html import pick_html

        return pick_html(self)

    def to_dict(self) -> dict[str, Json]:
        """It as JSON values."""
        return {
            "schema": SCHEMA,
            "machine": self.machine,
            "trial": self.row.trial if self.row else None,
            "reason": self.reason,
            "remarks": self.remarks,
            "fits": self.fits,
            "pick": front_cells(self.row) if self.row else None,
            "export": self.export or None,
            "runners_up": [front_cells(row) for row in self.runners_up],
            "binding": self.binding or None,
            "beyond_fraction": self.beyond if self.binding else None,
            "nearest": front_cells(self.nearest) if self.nearest else None,
        }


def pick(front: MachineFront, limits: Limits, *, at_knee: bool = False) -> Pick:
    """The trial to take of a front's points, as said at the head of this file.

    Args:
        front: of the machine.
        limits: that the trial keeps.
        at_knee: take the knee of what keeps the limits, not the end of it.
    """
    budgets = limits.budgets(front.parent.name, front.machine)
    fitting = [row for row in front.points if _worst(row, budgets)[1] <= 0]
    if not fitting:
        return _nothing(front, budgets)
    rows = [fitting[place] for place in non_dominated([row.pair for row in fitting])]
    kept = " and ".join(str(budget) for budget in budgets.values())
    if at_knee or not budgets:
        found = knee(replace(front, rows=tuple(rows)))
        within = f" Kept: {kept}." if kept else ""
        if found.row is None:
            # Some trials fit, but none of them is worth a pick without a word on accuracy.
            reason = f"no knee: {found.reason}; say what is needed, as --min-accuracy.{within}"
            return Pick(machine=front.machine, row=None, reason=reason)
        chosen, reason = found.row, f"{found.reason}.{within}"
    elif set(budgets) == {"accuracy"}:
        chosen, reason = rows[0], f"the cheapest of {len(fitting)} trials with {kept}."
    else:
        chosen, reason = rows[-1], f"the most accurate of {len(fitting)} trials with {kept}."
    place = next(i for i, row in enumerate(rows) if row.trial == chosen.trial)
    others = sorted((i for i in range(len(rows)) if i != place), key=lambda i: (abs(i - place), i))
    runners_up = tuple(rows[i] for i in others[:RUNNERS_UP])
    return Pick(
        machine=front.machine,
        row=chosen,
        reason=reason,
        remarks=tuple(_remarks(front, chosen)),
        runners_up=runners_up,
    )


def _remarks(front: MachineFront, row: Row) -> Iterator[str]:
    """What a trial is worth, what a host does of its work, and which trials are no answers."""
    if row.posterior is not None:
        yield (
            f"By all trials its {row.validation.name} is expected to be {100 * row.worth:.1f} %; "
            f"the chance that it is on the true front: {row.posterior.chance:.2f}."
        )
    if row.host_share:
        place = "in" if front.prices_host else "outside"
        yield (
            f"A host does {100 * row.host_share:.1f} % of its dense MACs, {place} the energy; of "
            f"the fine-tuned parent's {100 * front.parent_host_share:.1f} %."
        )
    apart = [f"{key} (nothing to do there)" for key in front.idle]
    apart += [f"{key} ({100 * share:.1f} %)" for key, share in front.hosted]
    if apart:
        yield (
            "No answers, since the machine does none or the lesser part, by a host's share: trial "
            f"{', '.join(apart)}."
        )


def _nothing(front: MachineFront, budgets: Mapping[str, Budget]) -> Pick:
    """Which limit binds, by how much, and who is nearest."""
    if not front.points:
        reason = "no trial can run there"
        return Pick(machine=front.machine, row=None, reason=reason)
    nearest = min(front.points, key=lambda row: (_worst(row, budgets)[1], row.key))
    budget, beyond = _worst(nearest, budgets)
    words = next(b.words(beyond) for b in budgets.values() if str(b) == budget)
    reason = (
        f"none of {len(front.points)} trials keeps {' and '.join(map(str, budgets.values()))}. "
        f"{budget} binds: the nearest, trial {nearest.trial}, is {words} beyond it."
    )
    return Pick(
        machine=front.machine,
        row=None,
        reason=reason,
        binding=budget,
        beyond=beyond,
        nearest=nearest,
    )


def _worst(row: Row, budgets: Mapping[str, Budget]) -> tuple[str, float]:
    """The limit that a trial exceeds most, and by what share; nothing of no limits."""
    values = {
        "accuracy": row.worth,
        "energy_uj": row.energy_uj,
        "parameters": float(row.parameters),
    }
    found = [(str(budget), budget.excess(values[field])) for field, budget in budgets.items()]
    return max(found, key=lambda item: item[1], default=("", 0.0))
