"""Part: what one method does to a network, in canonical form.

It is plain data, so that whoever reads a run knows its plans without the method's code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autoprune.errors import InputError
from autoprune.networks.place import Place

Amount = int | float | str
Amounts = tuple[tuple[str, Amount], ...]


def key_of(place: Place, name: str = "") -> str:
    """The key of a place's amount, or of one of a matrix or a setting there: ``blocks.0.mlp/fc1``.

    A name has no meaning here beyond being different from the others.
    """
    return f"{place}/{name}" if name else str(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A method's share of a plan.

    Attributes:
        method: its name.
        amounts: numbers or words by `key_of`, in the order of the keys; what is neutral is left
            out, so that a part that changes nothing is empty.

    Raises InputError for keys out of order, and for what is neither a finite number nor a word.
    """

    method: str
    amounts: Amounts = ()

    def __post_init__(self) -> None:
        keys = [key for key, _ in self.amounts]
        if any(not isinstance(key, str) for key in keys) or keys != sorted(set(keys)):
            raise InputError(f"part {self.method}", f"keys {keys!r}", "each once, in order")
        for key, amount in self.amounts:
            if not isinstance(amount, str) and not _is_finite(amount):
                where = f"part {self.method}: {key}"
                raise InputError(where, f"given {amount!r}", "a number or a word")

    @classmethod
    def of(cls, method: str, amounts: Iterable[tuple[str, Amount]]) -> Part:
        """The part with these amounts, in any order."""
        return cls(method=method, amounts=tuple(sorted(amounts)))

    @classmethod
    def from_json(cls, method: str, data: Mapping[str, Amount]) -> Part:
        """The part that `to_json` wrote."""
        return cls.of(method, data.items())

    def to_json(self) -> dict[str, Amount]:
        """The amounts by key."""
        return dict(self.amounts)

    def at(self, place: Place) -> dict[str, Amount]:
        """The amounts at a place by the names in their keys; empty is that of the place itself."""
        return self.by_place().get(str(place), {})

    def by_place(self) -> dict[str, dict[str, Amount]]:
        """What `at` gives, by place."""
        found: dict[str, dict[str, Amount]] = {}
        for key, amount in self.amounts:
            place, _, name = key.partition("/")
            found.setdefault(place, {})[name] = amount
        return found


def _is_finite(amount: object) -> bool:
    return type(amount) is int or (type(amount) is float and math.isfinite(amount))
