"""Effort: how a compressed network is run and fine-tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autoprune.compress.setting import Setting
from autoprune.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How a compressed network is run and fine-tuned; what a plan takes where a space is silent.

    Attributes:
        time_steps: T. learning_rate, epochs: of fine-tuning.
    """

    time_steps: int
    learning_rate: float
    epochs: int

    def __post_init__(self) -> None:
        for name, count in (("time_steps", self.time_steps), ("epochs", self.epochs)):
            if type(count) is not int or count < 0:
                raise InputError("effort", f"{name} = {count!r}", "a whole number from 0")
        if not (self.learning_rate >= 0 and math.isfinite(self.learning_rate)):
            raise InputError("learning_rate", f"given {self.learning_rate!r}", "a number from 0")


EFFORT = (
    Setting(
        name="time_steps",
        kinds=("model",),
        means="T, in place of the study's.",
        neutral="",
        low=1,
        high=64,
        whole=True,
        rises=(1, 1),
    ),
    Setting(
        name="learning_rate",
        kinds=("model",),
        means="of fine-tuning, in place of the study's.",
        neutral="",
        low=1e-8,
        high=10,
    ),
    Setting(
        name="epochs",
        kinds=("model",),
        means="of fine-tuning, in place of the study's.",
        neutral="",
        low=0,
        high=10_000,
        whole=True,
        rises=(1, 0),
    ),
)
"""The settings of a plan's effort; what is neutral, the study says."""
