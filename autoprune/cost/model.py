"""CostModel: the interface by which a family of machines, shipped or a user's own, is priced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, final

from autoprune.cost.cost import Cost, Unpriced
from autoprune.cost.machine import Machine
from autoprune.cost.price import Price, Quantity
from autoprune.errors import InputError
from autoprune.op import Op
from autoprune.workload import Workload


class CostModel(ABC):
    """The formulas of one family of machines, bound to the numbers of one machine.

    A family declares the numbers that it needs; a machine's file must give exactly those.

    Attributes:
        PRICES: the prices that the formulas use, name to unit (of `PRICE_UNITS`).
        PARAMETERS: the quantities that they use, name to unit (of `QUANTITY_UNITS`).
        CHOICES: the rules that they leave to the machine, name to the allowed words.
        CAPABILITIES: the words of `Capabilities` that they honour; one left out takes any word.
        PER_ACCESS: the prices that are per memory access and so need `access_bits`.
    """

    PRICES: ClassVar[Mapping[str, str]]
    PARAMETERS: ClassVar[Mapping[str, str]] = {}
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    CAPABILITIES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    PER_ACCESS: ClassVar[tuple[str, ...]] = ()

    @final
    def __init__(self, machine: Machine) -> None:
        """Bind to a machine; raises InputError where its numbers are not what the family needs."""
        self.machine = machine
        self._require("price", self.PRICES, {p.name: p.unit for p in machine.prices})
        self._require("parameter", self.PARAMETERS, {q.name: q.unit for q in machine.parameters})
        for price in machine.prices:
            if (price.access_bits is not None) != (price.name in self.PER_ACCESS):
                raise InputError(
                    machine.where,
                    f"price {price.name!r} has access_bits {price.access_bits}",
                    "them with prices per access, and only there",
                )
        self._check_words("choices", self.CHOICES, machine.choices)
        self._check_words("capabilities", self.CAPABILITIES, machine.capabilities.model_dump())
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
    def unsupported(self, ops: Iterable[Op]) -> tuple[Unpriced, ...]:
        """What these operations need and the machine cannot do in any way."""
        words = self.machine.capabilities.model_dump()
        return tuple(
            Unpriced(action=f"{op.name}: {need}", count=1)
            for op in ops
            for need in needs(op)
            if words[need] == "unsupported"
        )

    @final
    def emulated(self, ops: Iterable[Op]) -> tuple[str, ...]:
        """The machine's rules of emulation that these operations call for."""
        needed = {need for op in ops for need in needs(op)}
        return tuple(rule for name, rule in self.machine.emulation.items() if name in needed)

    @final
    def value(self, name: str) -> float:
        """One of the machine's prices, in the unit that the family declares."""
        return self._price(name).value

    @final
    def access_bits(self, name: str) -> int:
        """Bits that one access at that price, one of PER_ACCESS, moves."""
        bits = self._price(name).access_bits
        if bits is None:
            raise KeyError(f"{name!r} is not among PER_ACCESS")
        return bits

    @final
    def quantity(self, name: str) -> Quantity:
        """One of the machine's parameters."""
        return next(q for q in self.machine.parameters if q.name == name)

    @final
    def _price(self, name: str) -> Price:
        return next(p for p in self.machine.prices if p.name == name)

    def _check_words(
        self, table: str, allowed: Mapping[str, tuple[str, ...]], given: Mapping[str, str]
    ) -> None:
        for name, words in allowed.items():
            word = given.get(name)
            if word not in words:
                raise InputError(
                    self.machine.where,
                    f"{table}.{name} is {word!r}, which family {self.machine.family!r} cannot do",
                    name=str(word),
                    candidates=words,
                )

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


def needs(op: Op) -> tuple[str, ...]:
    """The capabilities, by their names in `Capabilities`, that an operation calls for."""
    calls = {
        "real_input": op.a_class == "real",
        "dynamic_product": op.kind in ("attention_product", "masking"),
        "integer_spike": op.a_class == "integer",
        "neuron": op.neurons > 0,
    }
    return tuple(name for name, called in calls.items() if called)
