"""What the budgets of a study did to its trials, in words."""

from __future__ import annotations

from collections.abc import Sequence

from autoprune.runs.budget import parse_budget
from autoprune.runs.outcome import Ended


def budget_lines(trials: Sequence[Ended]) -> list[str]:
    """Per budget how many trials break it; where none keeps all, which one binds, and how far.

    Nearest is the trial whose largest excess over any budget is the least; the budget of that
    excess binds. Excesses are shares of the bounds. No lines where no budget was broken.
    """
    trials = [o for o in trials if o.state != "duplicate"]
    broken = [o for o in trials if o.broken]
    counts: dict[str, list[bool]] = {}
    for ended in broken:
        for budget, _ in ended.broken:
            counts.setdefault(budget, []).append(ended.score is None)
    lines = [
        f"Budget {budget}: broken by {len(untrained)} plans, {sum(untrained)} of them known "
        "before training and not trained."
        for budget, untrained in sorted(counts.items())
    ]
    if broken and not any(o.state == "measured" for o in trials):
        # A plan that was not trained is known to break some budgets; others it may break, too.
        known = [o for o in broken if o.score is not None] or broken
        nearest = min(known, key=lambda o: max(by for _, by in o.broken))
        budget, by = max(nearest.broken, key=lambda item: item[1])
        lines.append(
            f"No trial keeps all budgets. {budget} binds: the nearest, trial {nearest.key}, is "
            f"{parse_budget(budget, 'budget').words(by)} beyond it."
        )
    return lines
