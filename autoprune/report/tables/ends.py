"""How the trials of a run ended, in words."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from autoprune.report.tables.budgets import budget_lines
from autoprune.runs.outcome import Ended
from autoprune.trial.job import in_one_line
from autoprune.trial.key import TrialKey


def failed_lines(causes: Mapping[TrialKey, str]) -> Iterator[str]:
    """Which trials failed, each with its cause in a line."""
    return (f"{key} failed: {in_one_line(cause)}" for key, cause in causes.items())


def end_lines(trials: Sequence[Ended], *, exhausted: bool, saved: int) -> Iterator[str]:
    """How many trials ended in which way, and why there are no more.

    Args:
        trials: how all of them ended.
        exhausted: whether the search met nothing new any more.
        saved: trials that were not needed, because what was left promised too little.
    """
    states = [ended.state for ended in trials if ended.origin != "baseline"]
    large = [o.peak_gib for o in trials if o.state == "infeasible" and o.peak_gib]
    short = sum(o.state == "infeasible" and o.peak_gib is not None for o in trials)
    over = states.count("infeasible") - short
    yield (
        f"{states.count('measured')} plans measured, {states.count('duplicate')} duplicates, "
        f"{states.count('failed')} failed" + (f", {over} that break a budget." if over else ".")
    )
    if short:
        most = f", which had taken up to {max(large):.3g} GiB" if large else ""
        yield f"Infeasible by memory: {short} plans{most}."
    yield from budget_lines(trials)
    for ended in trials:
        if ended.state == "failed":
            yield f"  trial {ended.key} failed: {in_one_line(ended.cause)}"
    if exhausted:
        yield "The space is exhausted: the sampler proposed nothing new any more."
    if saved:
        took = [ended.seconds for ended in trials if ended.seconds]
        minutes = saved * statistics.mean(took) / 60
        yield (
            "Stopped, since what is left promises too little (search.stop_below): "
            f"{saved} trainings saved, some {minutes:.2g} minutes of one worker."
        )
