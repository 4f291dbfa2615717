"""Action: what a machine's rule charges each operation for, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from autoprune.workload.columns import Column


@dataclass(frozen=True, slots=True)
class Action:
    """So many actions of every operation, at one price.

    Attributes:
        price: name of the price; one in pJ is charged per action, one in mW per nanosecond.
        count: per inference, one value per operation, finite and not negative.
        cause: what the energy is spent on, in reports; the price's name where it is left out.
        rule: what is counted, in words, for `autoprune price --explain`.
    """

    price: str
    count: Column
    cause: str = ""
    rule: str = ""
