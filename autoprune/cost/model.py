"""CostModel: the interface by which a family of machines, shipped or a user's own, is priced."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, cast, final, get_args

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.cost import Cost
from autoprune.cost.costs import Costs
from autoprune.cost.host import check_host
from autoprune.cost.limits import UNITS
from autoprune.cost.machine import Machine
from autoprune.cost.ops import Ops
from autoprune.cost.price import Price, Quantity
from autoprune.cost.pricing import price_all
from autoprune.errors import InputError
from autoprune.plugin import importable_name, load_named, make_importable
from autoprune.workload.columns import Column, WeightFormat, sizes
from autoprune.workload.op import Kind, Order
from autoprune.workload.workload import Workload


def _restore(name: str, folder: str, machine: Machine) -> CostModel:
    make_importable(Path(folder))
    model: CostModel = load_named(name, "a machine from another process")(machine)
    return model


@cache
def _own_source() -> str:
    """The code that all machines are priced with."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return "".join(file.read_text(encoding="utf-8") for file in files)


class CostModel(ABC):
    """The formulas of one family of machines, bound to the numbers of one machine.

    A family declares the numbers that it needs, and a machine's file must give exactly those: the
    names are the keys of its tables. `actions` says what is charged, as arithmetic on columns of
    operations; everything else is done here, in one way for one workload and for many.

    Attributes:
        PRICES: the prices that the rules use, name to unit (of `PRICE_UNITS`).
        PARAMETERS: the quantities that they use, name to unit (of `QUANTITY_UNITS`).
        CHOICES: what they leave to the machine, name to the allowed words. ``attention_order``
            settles which order of attention's products is priced; executed where there is none.
        CAPABILITIES: the words of `Capabilities` that they honour; one left out takes any word.
        PER_ACCESS: the prices that are per memory access and so need `access_bits`.
        OFF_CHIP: the prices of what is outside the chip, which no power of a whole chip holds.
        PRODUCT_SPARSITY: whether they read columns of tiles, which a run then counts for them.
        LEFT_TO_HOST: kinds of operations that they have no rule for and a host does.
        FORMATS: the formats in which they can read a static weight; all where they move none.
        SKIPS_PATTERNS: whether they do without the work of zeros that the machine skips by a
            pattern; see `worked`.
        PRICED: whether energies are known at all; else only what a network needs there.
        NOT_ADDITIVE: why operations priced one by one do not add up to the network; else they do.
    """

    PRICES: ClassVar[Mapping[str, str]]
    PARAMETERS: ClassVar[Mapping[str, str]] = {}
    CHOICES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    CAPABILITIES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    PER_ACCESS: ClassVar[tuple[str, ...]] = ()
    OFF_CHIP: ClassVar[tuple[str, ...]] = ()
    PRODUCT_SPARSITY: ClassVar[bool] = False
    LEFT_TO_HOST: ClassVar[tuple[Kind, ...]] = ()
    FORMATS: ClassVar[tuple[WeightFormat, ...]] = get_args(WeightFormat)
    SKIPS_PATTERNS: ClassVar[bool] = False
    PRICED: ClassVar[bool] = True
    NOT_ADDITIVE: ClassVar[str] = ""

    @final
    def __repr__(self) -> str:
        """In a line: family and machine."""
        return f"<{type(self).__name__} {self.machine.name}>"

    def __init__(self, machine: Machine) -> None:
        """Bind to a machine; raises InputError where its numbers are not what the family needs."""
        self.machine = machine
        self._require("price", self.PRICES, {p.name: p.unit for p in machine.prices})
        self._require("parameter", self.PARAMETERS, {q.name: q.unit for q in machine.parameters})
        for price in machine.prices:
            where = f"{machine.where}: prices.{price.name}"
            if price.name in self.PER_ACCESS and price.access_bits is None:
                raise InputError(where, "per access, without access_bits", "bits of one access")
            if price.access_bits is not None and price.name not in self.PER_ACCESS:
                raise InputError(where, f"access_bits {price.access_bits}", "none: not per access")
        self._check_scopes()
        self._check_limits()
        if machine.price_host:
            check_host(machine)
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
        for name in machine.weight_formats:
            if name not in self.FORMATS:
                raise InputError(
                    f"{machine.where}: weight_formats",
                    f"given {name!r}",
                    f"what family {machine.family!r} can read: {', '.join(self.FORMATS)}",
                )
        if machine.skipped_patterns and not self.SKIPS_PATTERNS:
            raise InputError(
                f"{machine.where}: skipped_patterns",
                f"given {', '.join(machine.skipped_patterns)}",
                f"none: family {machine.family!r} has no rule for them",
            )
        self.check()

    def check(self) -> None:  # noqa: B027 - a family may have nothing to check
        """Raise InputError where the machine's numbers do not go together."""

    @final
    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits: equal where a workload costs the same to the last bit.

        Of the machine's numbers, of its family's module and of this package. Empty where the
        family's source cannot be read: then nothing can be said to be equal.
        """
        module = inspect.getmodule(type(self))
        try:
            family = inspect.getsource(module) if module is not None else ""
        except OSError:
            family = ""
        if not family:
            return ""
        numbers = [getattr(self.machine, f.name) for f in fields(self.machine) if f.name != "where"]
        whole = f"{type(self).__qualname__} {numbers!r} {family} {_own_source()}"
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    @final
    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the folder of the class, which may be the user's, for a worker to find it."""
        return _restore, (*importable_name(type(self)), self.machine)

    @abstractmethod
    def actions(self, ops: Ops) -> Iterable[Action]:
        """What one inference of each operation is charged for.

        `ops` holds what the machine does itself: neither what it leaves to a host, nor the order of
        attention that it does not price.
        """

    def figures(self, ops: Ops) -> Mapping[str, Column]:
        """What the machine defines besides energy, one value per workload of `ops`.

        Any of ``latency_us``, ``cycles``, ``cores``, ``chips``, ``area_mm2``, and
        ``static_power_mw``: times the latency it is part of the energy, at the price
        ``static_power`` in mW.
        """
        return {}

    @final
    def price(self, workload: Workload) -> Cost:
        """The cost of one inference.

        Raises UnknownCost where a rule fails, gives no finite number, or needs a count that the
        workload lacks.
        """
        return self.price_all(Ops.of([workload])).cost(0)

    @final
    def price_all(self, ops: Ops) -> Costs:
        """The costs of many workloads at once, each equal to that of `price` to the last bit."""
        return price_all(self, ops)

    @property
    @final
    def order(self) -> Order:
        """The order of attention's products that is priced."""
        return cast(Order, self.machine.choices.get("attention_order", "executed"))

    @final
    def value(self, name: str) -> float:
        """One of the machine's prices, in the unit that the family declares."""
        return self.machine_price(name).value

    @final
    def accesses(self, name: str, bits: Column) -> Column:
        """How many accesses at that price, one of PER_ACCESS, move so many bits."""
        width = self.machine_price(name).access_bits
        if width is None:
            raise KeyError(f"{name!r} is not among PER_ACCESS")
        return bits / width

    @final
    def quantity(self, name: str) -> float:
        """One of the machine's parameters, in the unit that the family declares."""
        return self.machine_quantity(name).value

    @final
    def weight_bits(self, ops: Ops) -> Column:
        """Bits of a static weight as the machine holds it: its own, or those that it needs."""
        return ops.b_bits.clip(max=self.machine.weight_bits)

    def stored(self, ops: Ops) -> Mapping[str, Column]:
        """Bits of static weights in each format that the machine can read, indices included.

        Of one that cannot be held in a format infinitely many. A family that holds them by a rule
        of its own gives that under a name of its own.
        """
        bits = self.weight_bits(ops)
        return {name: ops.storage(name, bits) for name in self.machine.weight_formats}

    @final
    @property
    def held_as(self) -> tuple[str, ...]:
        """The names of what `stored` gives."""
        return tuple(self.stored(Ops.of([])))

    def state(self, ops: Ops) -> Column:
        """Bits of membranes that the machine holds; see `Ops.state_bits`."""
        return ops.state_bits(self.weight_bits(ops))

    @final
    def storage(self, ops: Ops) -> Column:
        """Bits of every static weight in the smallest of those formats."""
        return np.min(list(self.stored(ops).values()), axis=0)

    @final
    def worked(self, ops: Ops) -> Column:
        """Share of the dense work that is done: N / M where the machine skips what weights obey."""
        share = np.ones(len(ops))
        for pattern in self.machine.skipped_patterns:
            n, m = sizes(pattern)
            share = np.minimum(share, np.where(ops.obeys(pattern), n / m, 1.0))
        return share

    @final
    def machine_price(self, name: str) -> Price:
        """A price with unit, evidence and source; KeyError where the machine has none."""
        return {price.name: price for price in self.machine.charged}[name]

    @final
    def machine_quantity(self, name: str) -> Quantity:
        """A parameter with unit, evidence and source; KeyError where the machine has none."""
        return {quantity.name: quantity for quantity in self.machine.parameters}[name]

    def _check_limits(self) -> None:
        """Limits have rules of their own, which are the same for all families."""
        for limit in self.machine.limits:
            where = f"{self.machine.where}: limits"
            if limit.name not in UNITS:
                raise InputError(
                    where, f"unknown limit {limit.name!r}", name=limit.name, candidates=UNITS
                )
            if limit.unit != UNITS[limit.name]:
                given = f"{limit.name} is in {limit.unit}"
                raise InputError(where, given, UNITS[limit.name])

    def _check_scopes(self) -> None:
        """An all-in price has every other cost of the chip in it already."""
        own = [p for p in self.machine.prices if p.unit != "ns" and p.name not in self.OFF_CHIP]
        if len({price.scope for price in own}) > 1:
            raise InputError(
                self.machine.where,
                "all-in prices beside prices per term",
                "one scope on the chip: the two must not meet in one sum",
            )

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
