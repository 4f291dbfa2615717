"""Price and Quantity: a number of the physical world with its unit, evidence and source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from autoprune.errors import InputError

Evidence = Literal["measured", "simulated", "synthesised", "derived", "assumed"]
QuantityEvidence = Literal[Evidence, "specified"]
Scope = Literal["per_term", "all_in"]

PRICE_UNITS = ("pJ", "ns", "mW")
"""What a price may be in: energy or time per action, or power while the machine runs."""

QUANTITY_UNITS = (
    "bit",
    "KiB",
    "MHz",
    "count",
    "um2",
    "mm2",
    "ratio",
    "GB/s",
    "mW",
    "TOP/s",
    "W",
    "us",
)
"""What a parameter of a machine may be in."""

_LARGEST = 1e12
"""A joule, a quarter of an hour, a GW: more of a unit can only be a slip, and would be infinite."""


def _check(where: str, value: object, unit: str, units: tuple[str, ...], source: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(where, f"value is {value!r}", "a number")
    if not math.isfinite(value) or value < 0:
        raise InputError(where, f"value is {value}", "a finite number >= 0")
    if value > _LARGEST:
        raise InputError(where, f"value is {value:g}", f"at most {_LARGEST:g}")
    if unit not in units:
        raise InputError(where, f"unknown unit {unit!r}", name=unit, candidates=units)
    if not source.strip():
        raise InputError(where, "no source", "where the number was published")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one action costs.

    Attributes:
        name: the action, such as ``synaptic_operation``.
        value: the number, finite and not negative.
        unit: one of PRICE_UNITS.
        access_bits: bits that one memory access moves; None where the price is not per access.
        least: lower end of the range that the sources give, whose upper end `value` is; None where
            they give one number.
        evidence: how the number came about.
        scope: ``per_term`` for one action alone, ``all_in`` where a whole chip's power was divided
            by its events; the two never meet in one sum on the chip.
        source: publication and table.
    """

    name: str
    value: float
    unit: str
    evidence: Evidence
    scope: Scope
    source: str
    access_bits: int | None = None
    least: float | None = None

    def __post_init__(self) -> None:
        where = f"price {self.name!r}"
        _check(where, self.value, self.unit, PRICE_UNITS, self.source)
        for word, allowed in ((self.evidence, Evidence), (self.scope, Scope)):
            words = get_args(allowed)
            if word not in words:
                raise InputError(where, f"unknown {word!r}", name=word, candidates=words)
        if self.access_bits is not None and self.access_bits < 1:
            raise InputError(where, f"access_bits is {self.access_bits}", "at least 1")
        if self.least is not None and not 0 < self.least < self.value:
            raise InputError(
                where,
                f"a range from {self.least:g} to {self.value:g}",
                "two ends: least above 0 and below the value, which is the upper end",
            )

    @property
    def range(self) -> str:
        """The value, or both ends of its range."""
        return f"{self.value:g}" if self.least is None else f"{self.least:g} to {self.value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A size, capacity or frequency of a machine; more than zero, and whole in counts and bits.

    Attributes:
        name, value, unit, source: as in `Price`, the unit one of QUANTITY_UNITS.
        evidence: as in `Price`, or ``specified`` for what the makers state, such as a capacity.
    """

    name: str
    value: float
    unit: str
    evidence: QuantityEvidence
    source: str

    def __post_init__(self) -> None:
        where = f"parameter {self.name!r}"
        _check(where, self.value, self.unit, QUANTITY_UNITS, self.source)
        if self.value == 0:
            raise InputError(where, "value is 0", "more than 0")
        if self.unit in ("count", "bit") and not float(self.value).is_integer():
            raise InputError(where, f"value is {self.value}", f"a whole {self.unit}")
        words = get_args(QuantityEvidence)
        if self.evidence not in words:
            raise InputError(
                where, f"unknown {self.evidence!r}", name=self.evidence, candidates=words
            )
