"""Setting: what a configuration may choose at a kind of place, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autoprune.errors import InputError
from autoprune.networks.granularity import Differing
from autoprune.networks.place import Kind

Value = float | int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A name, and what may stand under it: words or numbers.

    Attributes:
        name: its key in a file.
        means: what it is, in words, for the list of keys.
        words: what it may be, where it is no number.
        low, high: the numbers that it may be; `high` itself not where `below`.
        whole: only whole numbers. positive: every number above 0 is taken, offered or not.
    """

    name: str
    means: str
    words: tuple[str, ...] = ()
    low: float = 0
    high: float = 1
    below: bool = False
    whole: bool = False
    positive: bool = False

    def check(self, value: object, where: str) -> None:
        """InputError, at `where`, unless the value is taken."""
        if not self.takes(value):
            given, name = f"given {value!r}", str(value) if self.words else ""
            raise InputError(where, given, self.expected, name=name, candidates=self.words)

    def takes(self, value: object) -> bool:
        """Whether the value is taken."""
        if self.words or isinstance(value, bool) or not isinstance(value, float | int):
            return value in self.words
        if self.positive:
            return value > 0 and math.isfinite(value)
        inside = self.low <= value <= self.high and not (self.below and value == self.high)
        return inside and not (self.whole and value != int(value))

    @property
    def expected(self) -> str:
        """What is taken, in words; empty where it is one of `words`."""
        if self.words:
            return ""
        if self.positive:
            return "a number above 0"
        number = "a whole number" if self.whole else "a number"
        return f"{number} from {self.low:g} to {'below ' * self.below}{self.high:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Allowed):
    """What a configuration may choose, and how a network answers to it.

    Attributes:
        kinds: the places where it stands.
        neutral: the value that changes nothing.
        rises: how the score and the costs move with it: 1, -1, or 0 where that is unknown.
        dimensions: only where a branch has dimensions that can be removed.
        removes: the value that removes a branch.
        tells: a value that, uniform in every block, has to cost score; `title` names it.
        nearest: where a space does not offer the neutral value, the last that it offers is.
        differing: in what it lets the neurons of a layer differ, at the granularity that is its
            word, which a machine has to have; a part holds it under the setting's name.
    """

    kinds: tuple[Kind, ...]
    neutral: Value
    rises: tuple[int, int] = (0, 0)
    dimensions: bool = False
    removes: Value | None = None
    tells: float | None = None
    title: str = ""
    nearest: bool = False
    differing: Differing | None = None

    def by_harshness(self, offered: Sequence[Value]) -> list[Value]:
        """The offered values that change something and remove nothing, mildest first."""
        values = [value for value in offered if value not in (self.neutral, self.removes)]
        return values[::-1] if self.rises[1] > 0 else values
