"""The grid of learning rates: from the parent's peak downwards, extended while it ends at its best.

Neighbours differ by 10^(1/2): finer differences drown in the noise of a few trainings.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoprune.runs.recipe import Choice

STEPS = 3
"""Rates that are tried at first, the parent's peak among them."""

BEYOND = 2
"""Rates that are tried beyond these on either side, while the best one is an edge."""


def first_rates(peak: float, given: float | None) -> list[float]:
    """The rates that are tried at first, descending."""
    found = {peak, *(_rate(peak, -step) for step in range(1, STEPS))}
    return sorted(found | ({given} if given is not None else set()), reverse=True)


def next_rate(choice: Choice, first: Sequence[float]) -> float | None:
    """The rate beyond the edge that the best one is; None at no edge, or once enough was tried."""
    rates = [attempt.rate for attempt in choice.attempts]
    if choice.edge == "highest" and sum(rate > max(first) for rate in rates) < BEYOND:
        return _rate(rates[0], 1)
    if choice.edge == "lowest" and sum(rate < min(first) for rate in rates) < BEYOND:
        return _rate(rates[-1], -1)
    return None


def _rate(rate: float, steps: int) -> float:
    """Half as many powers of ten above `rate`, to two digits."""
    return float(f"{rate * 10 ** (steps / 2):.2g}")
