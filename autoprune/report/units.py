"""Numbers as people read them: significant digits, a unit that suits, a score's interval."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from autoprune.trial.measurement import Score


@dataclass(frozen=True, slots=True)
class EnergyUnit:
    """A unit of energy.

    Attributes:
        name: as it is printed. in_uj: one of it, in microjoules.
    """

    name: str
    in_uj: float

    @classmethod
    def of(cls, energies_uj: Iterable[float]) -> Self:
        """The largest unit of which the middle one of the energies has at least 1; 0 counts not."""
        known = [energy for energy in energies_uj if energy > 0]
        middle = statistics.median_low(known) if known else 1.0
        name, in_uj = next((u for u in _UNITS if middle >= u[1]), _UNITS[-1])
        return cls(name, in_uj)

    def digits(self, energy_uj: float, digits: int = 3) -> str:
        """An energy in this unit, without its name."""
        return significant(energy_uj / self.in_uj, digits)


_UNITS = (("J", 1e6), ("mJ", 1e3), ("µJ", 1.0), ("nJ", 1e-3), ("pJ", 1e-6))


def energy_words(energy_uj: float, digits: int = 3) -> str:
    """An energy with the unit that suits it: ``332 nJ``, ``3.63 µJ``."""
    unit = EnergyUnit.of([energy_uj])
    return f"{unit.digits(energy_uj, digits)} {unit.name}"


def significant(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, zeros at its end too: ``1.20``, ``11900``."""
    text = f"{value:#.{digits}g}"
    if "e+" in text:  # more digits before the point than are significant
        return f"{float(text):.0f}"
    return text.removesuffix(".")


def score_words(score: Score | None) -> str:
    """Percent, with the ends of the 95 % interval; a dash of none."""
    if score is None:
        return "-"
    low, high = score.interval
    return f"{100 * score.accuracy:.1f} [{100 * low:.0f} {100 * high:.0f}]"
