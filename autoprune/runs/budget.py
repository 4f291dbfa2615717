"""Budget: a bound that a network has to keep, as a study's text says it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from autoprune.errors import InputError
from autoprune.runs.metrics import is_share

_FORM = re.compile(r"\s*(?P<metric>[^\s<>=]+)\s*(?P<sign><=|>=)\s*(?P<bound>\S+)\s*")


Excess = tuple[tuple[str, float], ...]
"""By budget, how far beyond it; see `Budget.excess`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """``metric <= bound`` or ``metric >= bound``.

    Attributes:
        metric: see `autoprune.runs.metrics.metric_value`. bound: in the metric's unit.
        most: whether that is the most, not the least.
    """

    metric: str
    most: bool
    bound: float

    def __str__(self) -> str:
        return f"{self.metric} {'<=' if self.most else '>='} {self.bound:g}"

    def excess(self, value: float) -> float:
        """How far `value` is beyond the bound, as a share of it; at most 0 where it is kept.

        Beyond a bound of 0 the excess is the value itself.
        """
        beyond = value - self.bound if self.most else self.bound - value
        return beyond / abs(self.bound) if self.bound else beyond

    def words(self, excess: float) -> str:
        """An excess in words: points of a score or another share, else percent of the bound."""
        beyond = excess * abs(self.bound) if self.bound else excess
        if is_share(self.metric):
            points = 100 * beyond
            return f"{points:.1f} points" if points >= 0.1 else f"{points:.1g} points"
        return f"{100 * excess:.3g} %" if self.bound else f"{beyond:.3g}"


def parse_budget(text: str, where: str) -> Budget:
    """The budget that a text such as ``energy_uj@loihi1 <= 0.8`` stands for.

    Raises InputError where it is none.
    """
    expected = "METRIC <= NUMBER or METRIC >= NUMBER"
    found = _FORM.fullmatch(text)
    if found is None:
        raise InputError(where, f"given {text!r}", expected)
    try:
        bound = float(found["bound"])
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise InputError(where, f"given {text!r}: {found['bound']!r} is no number", expected)
    return Budget(metric=found["metric"], most=found["sign"] == "<=", bound=bound)


def parse_budgets(texts: Iterable[str], where: str) -> tuple[Budget, ...]:
    """The budgets of a study.

    Raises InputError where one is none, two bound a metric from the same side, or no value keeps
    both bounds of a metric.
    """
    budgets: dict[tuple[str, bool], Budget] = {}
    for text in texts:
        budget = parse_budget(text, where)
        key = (budget.metric, budget.most)
        if key in budgets:
            raise InputError(where, f"{budgets[key]} and {budget}", "one bound of each kind")
        budgets[key] = budget
    for (metric, most), budget in budgets.items():
        least = budgets.get((metric, False))
        if most and least is not None and least.bound > budget.bound:
            raise InputError(where, f"{least} and {budget}", "bounds that a value can keep")
    return tuple(budgets.values())
