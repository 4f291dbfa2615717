"""TrialKey: the name of an outcome in its run; how it is written and read is known here."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from autoprune.errors import RecordError
from autoprune.networks.place import Place

LETTERS: Final[Mapping[str, str]] = {
    "baseline": "b",
    "uniform": "u",
    "warm": "w",
    "sampled": "",
    "recipe": "",
}
"""Letter behind a trial's number on a front, by origin: trial 7 as ``7b``."""

_BASELINE = re.compile("parent|fine-tuned|without .+")

_RECIPE = re.compile("recipe [1-9][0-9]{0,5}")

_LONGEST, _SHOWN = 200, 40

_OUT_OF_THE_FOLDER = ("/", "\\", "\0")


@functools.total_ordering
@dataclass(frozen=True, slots=True, repr=False)
class TrialKey:
    """A trial by its number, a repetition of it on a fresh seed, or what has a name.

    Names are those of baselines, and ``recipe 1`` of the trainings that choose a learning rate.

    Keys are ordered as one reads them: the parents, the removals of branches and blocks by number,
    that of all blocks, the trials by number, each before its repetitions, the recipe's trainings.

    Attributes:
        number: of the trial; 0 for what has a name.
        repetition: which one; None for what the search itself has measured.
        name: of the baseline, or of the recipe's training; empty for a trial.
        after: time steps after which its network is read, at least 1; None for those that it was
            trained for.

    Raises RecordError for a name that is none: it is a file's, too, and must not lead elsewhere.
    """

    number: int = 0
    repetition: int | None = None
    name: str = ""
    after: int | None = None

    def __post_init__(self) -> None:
        if any(sign in self.name for sign in _OUT_OF_THE_FOLDER):
            raise RecordError(f"{self.name!r} is no trial and no baseline")

    @classmethod
    def parse(cls, text: str) -> TrialKey:
        """The key that prints so, or, of a trial, is marked so on a front: ``7b``, ``8u``.

        Raises RecordError for a text with a separator of paths, or too long for a file's name.
        """
        if len(text) > _LONGEST:
            raise RecordError(f"{text[:_SHOWN]!r}... is no trial and no baseline")
        whole, at, steps = text.rpartition("@")
        if whole and at and steps.isdecimal() and int(steps):
            return replace(cls.parse(whole), after=int(steps))
        number, dash, repetition = text.partition("-")
        if number.isdecimal() and repetition.isdecimal():
            return cls(int(number), int(repetition))
        if number[-1:] in filter(None, LETTERS.values()) and not dash:
            number = number[:-1]
        return cls(int(number)) if number.isdecimal() and not dash else cls.baseline(text)

    @classmethod
    def baseline(cls, name: str) -> TrialKey:
        """The baseline of that name."""
        if not name:
            raise RecordError("'' is no trial and no baseline")
        return cls(name=name)

    @classmethod
    def without(cls, place: Place) -> TrialKey:
        """The baseline that lacks a branch or block."""
        return cls.baseline(f"without {place}")

    @classmethod
    def recipe(cls, number: int) -> TrialKey:
        """The training of that number, from 1, among those that choose a learning rate."""
        return cls.baseline(f"recipe {number}")

    def again(self, repetition: int) -> TrialKey:
        """A repetition of this trial."""
        return replace(self, repetition=repetition)

    @property
    def whole(self) -> TrialKey:
        """The same as it was trained: what lies in a run under this key, and has its weights."""
        return self if self.after is None else replace(self, after=None)

    @property
    def is_baseline(self) -> bool:
        """Whether it is a baseline."""
        return bool(self.name) and not self.is_recipe

    @property
    def is_recipe(self) -> bool:
        """Whether it is a training that chooses a learning rate."""
        return _RECIPE.fullmatch(self.name) is not None

    @property
    def is_trial(self) -> bool:
        """Whether it is a trial of the search: no baseline, no repetition."""
        return not self.name and self.repetition is None

    @property
    def stem(self) -> str:
        """What its files are called, without ending: ``00017``, ``00017-2``, ``fine-tuned``."""
        number = f"{self.number:05d}" + ("" if self.repetition is None else f"-{self.repetition}")
        return (self.name.replace(" ", "_") or number) + self._read

    @classmethod
    def of_stem(cls, stem: str) -> TrialKey:
        """The key whose files are called so."""
        return cls.parse(stem.replace("_", " "))

    @classmethod
    def named_by(cls, stem: str) -> TrialKey | None:
        """The key whose files are called so and not otherwise; None where a run has none such."""
        try:
            key = cls.of_stem(stem)
        except (RecordError, ValueError):
            return None
        named = not key.name or key.is_recipe or _BASELINE.fullmatch(key.name)
        return key if key.whole.stem == stem and named else None

    @property
    def cell(self) -> int | str:
        """In JSON: a trial's number; what a baseline, repetition or reading prints as."""
        return self.number if self == TrialKey(self.number) else str(self)

    @property
    def words(self) -> str:
        """For a sentence: ``trial 17``, ``the baseline 'parent'``."""
        what = "training" if self.is_recipe else "baseline"
        return f"the {what} {self.name!r}" if self.name else f"trial {self}"

    def __repr__(self) -> str:
        """What makes it: ``TrialKey(17)``, ``TrialKey(17, 2)``, ``TrialKey(name='parent')``."""
        if self.name:
            return f"TrialKey(name={self.name!r})"
        parts = (self.number,) if self.repetition is None else (self.number, self.repetition)
        after = "" if self.after is None else f", after={self.after}"
        return f"TrialKey({', '.join(map(str, parts))}{after})"

    def __str__(self) -> str:
        """``17``, ``17-2``, ``17@2`` after 2 steps, or a name, as ``without blocks.0.mlp``."""
        number = str(self.number) + ("" if self.repetition is None else f"-{self.repetition}")
        return (self.name or number) + self._read

    @property
    def _read(self) -> str:
        return "" if self.after is None else f"@{self.after}"

    def __lt__(self, other: TrialKey) -> bool:
        """Whether one reads it before another."""
        return self._order < other._order

    @property
    def _order(self) -> tuple[int, list[tuple[int, str]]]:
        if not self.name:
            again = -1 if self.repetition is None else self.repetition
            return 4, [(self.number, ""), (again, ""), (self.after or 0, "")]
        if self.is_recipe:
            return 5, [(int(self.name.rpartition(" ")[2]), ""), (self.after or 0, "")]
        rank = {PARENT: 0, FINE_TUNED: 1, NO_BLOCKS: 3}.get(self.whole, 2)
        parts = self.name.split(".")
        named = [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
        return rank, [*named, (-1, ""), (self.after or 0, "")]


PARENT = TrialKey.baseline("parent")
"""The parent as it was trained."""

FINE_TUNED = TrialKey.baseline("fine-tuned")
"""What everything is compared with: the parent after the standard fine-tuning."""

NO_BLOCKS = TrialKey.baseline("without all blocks")
"""The network that has no block left."""
