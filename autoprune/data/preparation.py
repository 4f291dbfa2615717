"""Preparation: what a data set does to raw samples before a network sees them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """``(raw / divisor - mean) / deviation``, per channel.

    Attributes:
        raw: what a raw number is, with its range, in words.
        divisor: that raw numbers are divided by.
        mean, deviation: per channel, of divided numbers; none where nothing is subtracted.
        before: what is done to a sample before that, in words; empty for nothing.
    """

    raw: str
    divisor: float = 1.0
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    before: str = ""

    def __str__(self) -> str:
        """In words, as after "the network expects"."""
        parts = [self.raw, self.before, f"divided by {self.divisor:g}" * (self.divisor != 1)]
        if self.mean:
            parts.append(
                f"less the mean {_list(self.mean)} and over the deviation {_list(self.deviation)}, "
                "by channel"
            )
        return "; ".join(filter(None, parts))


def _list(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"
