"""Place: where in a network something stands; its text, such as ``blocks.0.mlp``, is known here."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

from autoprune.errors import InputError

Kind = Literal["model", "stem", "head", "block", "branch", "neuron"]
"""What stands at a place."""

BRANCHES = ("attention", "mlp", "mixer")
"""The kinds of branches."""

_OUTSIDE: tuple[Literal["stem", "head"], ...] = ("stem", "head")
_IN_BLOCK = ("", *BRANCHES, "neuron")


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class Place:
    """The whole network, its stem or head, one of its blocks, or a part of a block.

    Places are ordered: the network, its stem, the blocks each before its parts, the head.

    Attributes:
        block: index of the block; None outside the blocks.
        part: ``attention``, ``mlp`` or ``mixer``: a branch of the block; ``neuron``: its neurons;
            empty: all of it. Outside the blocks ``stem``, ``head``, or empty: the network.

    Raises InputError for a place that no network has.
    """

    block: int | None = None
    part: str = ""

    def __post_init__(self) -> None:
        known = ("", *_OUTSIDE) if self.block is None else _IN_BLOCK
        if self.part not in known or (self.block or 0) < 0:
            raise InputError("place", f"given {str(self)!r}", name=self.part, candidates=known[1:])

    @classmethod
    def parse(cls, text: str) -> Place:
        """The place that prints so; InputError where none does."""
        first, *rest = text.split(".")
        if first != "blocks":
            return cls(part=text)
        index, part = (*rest, "", "")[:2]
        found = cls(int(index), part) if index.isdecimal() else None
        if found is None or str(found) != text:
            raise InputError("place", f"given {text!r}", "blocks.I or blocks.I.BRANCH")
        return found

    @property
    def kind(self) -> Kind:
        """What stands there."""
        if self.block is None:
            return next((part for part in _OUTSIDE if part == self.part), "model")
        if self.part == "neuron":
            return "neuron"
        return "branch" if self.part else "block"

    def __str__(self) -> str:
        """Such as ``blocks.0.mlp``, ``blocks.0``, ``stem``; empty for the network."""
        if self.block is None:
            return self.part
        return f"blocks.{self.block}.{self.part}" if self.part else f"blocks.{self.block}"

    def __lt__(self, other: Place) -> bool:
        """Whether it stands before another."""
        return self._order < other._order

    @property
    def _order(self) -> tuple[int, int, int]:
        if self.block is None:
            return {"": 0, "stem": 1, "head": 3}[self.part], 0, 0
        return 2, self.block, _IN_BLOCK.index(self.part)


MODEL = Place()
"""The whole network."""

STEM = Place(part="stem")
"""What stands before the blocks."""

HEAD = Place(part="head")
"""What stands behind the blocks."""
