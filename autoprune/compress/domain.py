"""Domain: the values that a parameter may take, and whether they make sense."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, model_validator

from autoprune.compress.setting import Setting, Value
from autoprune.config import STRICT

MOST_VALUES = 10_000
"""The largest number of values of one parameter: more are a slip of the pen."""


def _finite(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise ValueError("a finite number")
    return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond all floating-point numbers
        return False


Number = Annotated[int | float, BeforeValidator(_finite)]


class Domain(BaseModel):
    """The values that a parameter may take: listed, or ``low`` to ``high`` by ``step``.

    Every domain is finite, so that equal configurations are found equal.

    Attributes:
        values: numbers in ascending order, or words, which have no order; each once.
        low, high, step: at most 10 000 values from low to high.
    """

    model_config = STRICT

    values: list[Number] | list[str] | None = None
    low: Number | None = None
    high: Number | None = None
    step: Number | None = None

    @model_validator(mode="after")
    def _complete(self) -> Domain:
        span = (self.low, self.high, self.step)
        if (self.values is None) == (None in span) or (self.values and span != (None,) * 3):
            raise ValueError("either values, or low, high and step")
        if self.values is not None:
            if not self.values or len(set(self.values)) != len(self.values):
                raise ValueError("at least one value, each once")
            if self.numeric and sorted(self.values) != self.values:
                raise ValueError("numbers in ascending order")
            return self
        assert self.low is not None and self.high is not None and self.step is not None
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) not above high ({self.high})")
        if self.step <= 0:
            raise ValueError("step above 0")
        # Not as a quotient, which may overflow.
        if self.high / MOST_VALUES - self.low / MOST_VALUES >= self.step:
            raise ValueError(f"a step with which there are at most {MOST_VALUES} values")
        return self

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers, and hence ordered."""
        return self.values is None or not isinstance(self.values[0], str)

    @property
    def all(self) -> tuple[Value, ...]:
        """Every value, numbers ascending."""
        if self.values is not None:
            return tuple(self.values)
        assert self.low is not None and self.high is not None and self.step is not None
        steps = int((self.high - self.low) / self.step + 1e-9)
        return tuple(round(self.low + i * self.step, 12) for i in range(steps + 1))


def check_domain(where: str, domain: Domain, setting: Setting) -> None:
    """ValueError where the domain holds what the setting may not be."""
    for value in domain.all:
        if setting.words:
            if value not in setting.words:
                words = ", ".join(setting.words)
                raise ValueError(f"{where} to hold only {words}, not {value!r}")
        elif not _in_range(value, setting):
            kind = "whole numbers" if setting.whole else "numbers"
            span = f"from {setting.low} to {'below ' * setting.below}{setting.high}"
            raise ValueError(f"{where}: {kind} {span}, not {value!r}")


def _in_range(value: Value, setting: Setting) -> bool:
    low, high = setting.low, setting.high
    fits = not isinstance(value, str) and low <= value <= high
    return (
        fits
        and not (setting.below and value == high)
        and not (setting.whole and value != int(value))
    )


def check_offered(where: str, domain: Domain, what: str, values: Sequence[Value]) -> None:
    """ValueError where `what`, a list of values, holds one that the domain does not offer."""
    outside = [value for value in values if value not in domain.all]
    if outside:
        raise ValueError(f"{what} values inside {where}, not {outside[0]}")
