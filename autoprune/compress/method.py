"""Method: the interface of a way to compress; what it changes, and what it leaves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from autoprune.compress.bits import FULL_BITS
from autoprune.compress.effort import Effort
from autoprune.compress.option import Option
from autoprune.compress.part import Amount, Part
from autoprune.compress.setting import Setting, Value
from autoprune.errors import InputError
from autoprune.networks.granularity import GRANULARITIES, Differing, Granularity
from autoprune.networks.place import Place
from autoprune.networks.shape import BranchShape, NetworkShape

if TYPE_CHECKING:
    from autoprune.compress.surgery.surgery import Surgery

Stage = Literal["dimensions", "pattern", "zeros", "neurons", "values"]
"""The order in which methods act: dimensions leave, weights become zero by a pattern, then the
smallest of all; neurons are exchanged; last the values are rounded that training has found."""

STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True, slots=True)
class Left:
    """A network as the methods so far leave it.

    Attributes:
        shape: what its matrices are.
        zeros: weights that are zero, by `autoprune.compress.part.key_of`: of a matrix, or of all
            matrices of a place together, beyond those that are counted for each.
    """

    shape: NetworkShape
    zeros: Mapping[str, int] = field(default_factory=dict)

    def with_zeros(self, zeros: Mapping[str, int]) -> Left:
        """The same with zeros of some matrices, by their keys.

        Raises InputError where another method has made zeros there: how many remain of both is
        not known.
        """
        for key in zeros.keys() & self.zeros.keys():
            raise InputError(key, "zeros by two methods", "zeros by one of them")
        return Left(self.shape, {**self.zeros, **zeros})

    def branch(self, place: Place) -> BranchShape:
        """The branch at a place."""
        assert place.block is not None
        for branch in self.shape.blocks[place.block].branches:
            if branch.name == place.part:
                return branch
        raise KeyError(place)

    def zeros_in(self, place: Place) -> int:
        """Zeros of a place and everything in it; of the network those of its blocks."""
        inside = str(place) or "blocks"
        return sum(
            zeros
            for key, zeros in self.zeros.items()
            if (key == "" and inside == "blocks")
            or key.partition("/")[0] == inside
            or key.startswith(f"{inside}.")
        )


class Given:
    """What a configuration says to one method: every value checked, neutral where it is silent."""

    def __init__(
        self, values: Mapping[tuple[Place, str], Value], settings: tuple[Setting, ...]
    ) -> None:
        self._values = values
        self._names = {name for _, name in values}
        self._settings = {(kind, s.name): s for s in settings for kind in s.kinds}
        self.read: set[tuple[Place, str]] = set()

    def value(self, place: Place, name: str) -> Value:
        """The value of a setting at a place; InputError where a plan does not take it."""
        setting = self._settings[place.kind, name]
        value = self._values.get((place, name)) if name in self._names else None
        if value is None:
            return setting.neutral
        self.read.add((place, name))
        if not setting.takes(value):
            where = f"neuron {name}" if place.kind == "neuron" else text_of(place, name)
            setting.check(value, where)
        return value

    def number(self, place: Place, name: str) -> float:
        """The value of a setting that is a number."""
        return float(self.value(place, name))


def text_of(place: Place, name: str) -> str:
    """How a setting at a place is written: ``blocks.0.mlp.SETTING``."""
    return f"{place}.{name}" if place.kind != "model" else name


class Method(ABC):
    """A way to compress, without torch; `surgery` carries it out.

    Attributes:
        name: in plans, in files and in messages; no other method has it.
        stage: when it acts.
        settings: what a configuration may choose; no other method has a setting of that name at
            the same kind of place.
        options: what a study may tell it in ``[compression]``; no other method has an option of
            that name.
        legend: what its words in a plan's short form mean; empty where they say it themselves.
    """

    name: ClassVar[str]
    stage: ClassVar[Stage] = "pattern"
    legend: ClassVar[str] = ""
    settings: ClassVar[tuple[Setting, ...]]
    options: ClassVar[tuple[Option, ...]] = ()

    @abstractmethod
    def part(self, given: Given, before: Left, effort: Effort) -> Part:
        """The canonical part of what is given, for a network as the methods before leave it.

        What changes nothing is left out: two parts are equal where they make the same network.
        """

    @abstractmethod
    def surgery(self) -> Surgery:
        """What carries a part out; torch is imported here."""

    def left(self, part: Part, before: Left) -> Left:
        """What the method leaves of a network: sizes, and weights that are zero and stay so."""
        return before

    def weight_bits(self, part: Part) -> int:
        """Bits of a weight that it leaves."""
        return FULL_BITS

    def granularities(self, part: Part) -> Iterator[tuple[Differing, Granularity]]:
        """In what a part lets the neurons of a layer differ, and at which granularity."""
        differing = {s.name: s.differing for s in self.settings if s.differing is not None}
        for key, amount in part.amounts if differing else ():
            what = differing.get(key.partition("/")[2])
            if what is not None and amount in GRANULARITIES:
                yield what, amount

    def words(self, amounts: Mapping[str, Amount], place: Place, before: Left) -> str:
        """What `Plan.short` appends at a place: a blank first, unless it belongs to the letter.

        `amounts` are those there, by the names in their keys; there is at least one.
        """
        return "".join(f" {name or self.name}={amount}" for name, amount in amounts.items())

    def check(self, part: Part) -> None:  # noqa: B027 - most have nothing to check
        """InputError where a part, which may come out of a file, is none of this method's."""

    def needs_steps(self, options: Mapping[str, Value]) -> bool:
        """Whether it acts after every step of training, where every method's options are these."""
        return False


def missing(setting: Setting, branch: BranchShape) -> str:
    """Why a branch has no such setting; empty where it has."""
    return branch.fixed if setting.dimensions else ""
