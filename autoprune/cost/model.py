"""CostModel: the interface by which a family of machines, shipped or a user's own, is priced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, final

from autoprune.cost.cost import Cost
from autoprune.cost.machine import Machine
from autoprune.cost.price import Price, Quantity
from autoprune.errors import InputError
from autoprune.workload import Workload


class CostModel(ABC):
    """The formulas of one family of machines, bound to the numbers of one machine.

    A family declares the numbers that it needs; a machine's file must give exactly those.

    Attributes:
        PRICES: the prices that the formulas use, name to unit (of `PRICE_UNITS`).
        PARAMETERS: the quantities that they use, name to unit (of `QUANTITY_UNITS`).
        CHOICES: the rules that they leave to the machine, name to the allowed words.
    """

    PRICES: ClassVar[Mapping[str, str]]
    PARAMETERS: ClassVar[Mapping[str, str]] = {}
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @final
    def __init__(self, machine: Machine) -> None:
        """Bind to a machine; raises InputError where its numbers are not what the family needs."""
        self.machine = machine
        self._require("price", self.PRICES, {p.name: p.unit for p in machine.prices})
        self._require("parameter", self.PARAMETERS, {q.name: q.unit for q in machine.parameters})
        for name, words in self.CHOICES.items():
            given = machine.choices.get(name)
            if given not in words:
                raise InputError(
                    machine.where, f"choices.{name} is {given!r}", name=str(given), candidates=words
                )
        unknown = sorted(set(machine.choices) - set(self.CHOICES))
        if unknown:
            raise InputError(
                machine.where,
                f"family {machine.family!r} has no choice {unknown[0]!r}",
                name=unknown[0],
                candidates=self.CHOICES,
            )

    @abstractmethod
    def price(self, workload: Workload) -> Cost:
        """The cost of one inference.

        Raises InputError where the workload lacks a count that the formulas need.
        """

    @final
    def value(self, name: str) -> float:
        """One of the machine's prices, in the unit that the family declares."""
        return self._price(name).value

    @final
    def access_bits(self, name: str) -> int:
        """Bits that one access at that price moves; InputError where the file does not say."""
        bits = self._price(name).access_bits
        if bits is None:
            raise InputError(self.machine.where, f"price {name!r} has no access_bits", "a number")
        return bits

    @final
    def quantity(self, name: str) -> Quantity:
        """One of the machine's parameters."""
        return next(q for q in self.machine.parameters if q.name == name)

    @final
    def _price(self, name: str) -> Price:
        return next(p for p in self.machine.prices if p.name == name)

    def _require(self, what: str, needed: Mapping[str, str], given: Mapping[str, str]) -> None:
        where, family = self.machine.where, self.machine.family
        for name in given:
            if name not in needed:
                raise InputError(
                    where, f"family {family!r} has no {what} {name!r}", name=name, candidates=needed
                )
        for name, unit in needed.items():
            if name not in given:
                raise InputError(where, f"{what} {name!r} is missing", f"{what} in {unit}")
            if given[name] != unit:
                raise InputError(where, f"{what} {name!r} is in {given[name]}", unit)
