"""Machine: one accelerator as its TOML file describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from autoprune.config import STRICT, Json, Title, read_toml, validate
from autoprune.cost.arithmetic import NeuronArithmetic
from autoprune.cost.price import Price, Quantity
from autoprune.errors import InputError
from autoprune.workload.columns import Pattern, WeightFormat

Sparsity = Literal["none", "gate", "skip"]
Support = Literal["native", "host", "emulated", "unsupported"]
RealTimesSpike = Literal["ac", "mac", "host"]


class Capabilities(BaseModel):
    """What a machine does with sparsity, and what it cannot do itself.

    Attributes:
        spike_sparsity, weight_sparsity: what a zero buys: ``none``; ``gate``, energy but no time;
            or ``skip``, both.
        real_input: the stem's pixels and the head's means. dynamic_product: a product of two
            activations. integer_spike: an input that counts two spikes or more. neuron: the
            update of a membrane. Each ``native``, done by a ``host`` outside the total,
            ``emulated`` or ``unsupported``.
        real_times_spike: what a product of a real activation with spikes takes per event and row
            of the real one: an accumulation (``ac``), as a column of weights, or a ``mac``; or it
            is left to a ``host``. Left out: ``mac`` where real inputs and products of activations
            are both native, else ``host``. ``ac`` has its rule, with the evidence, among the rules
            of emulation.
    """

    model_config = STRICT
    spike_sparsity: Sparsity
    weight_sparsity: Sparsity
    real_input: Support
    dynamic_product: Support
    integer_spike: Support
    neuron: Support
    real_times_spike: RealTimesSpike | None = None

    @model_validator(mode="after")
    def _settled(self) -> Self:
        if self.real_times_spike is None:
            native = self.real_input == self.dynamic_product == "native"
            object.__setattr__(self, "real_times_spike", "mac" if native else "host")
        if self.real_times_spike != "host" and self.dynamic_product in ("host", "unsupported"):
            raise ValueError(
                f"real_times_spike is {self.real_times_spike!r} with dynamic_product "
                f"{self.dynamic_product!r}: expected 'host'"
            )
        return self


def _one_number(value: object) -> object:
    if isinstance(value, list | str):
        raise ValueError("one number; of a range its upper end, and its lower end as least")
    return value


class _Number(BaseModel):
    """One line of [prices] or [parameters]; units and words are checked by Price and Quantity."""

    model_config = STRICT
    value: Annotated[float, BeforeValidator(_one_number)]
    unit: str
    evidence: str
    source: str = ""
    scope: str | None = None
    access_bits: Annotated[int, Field(ge=1)] | None = None
    least: float | None = None


_MAC = re.compile(r"mac_([1-9][0-9]?)")
_Value = TypeVar("_Value", Price, Quantity)


def _holds_all(formats: list[WeightFormat]) -> list[WeightFormat]:
    if not {"dense", "bitmap", "csr"} & {*formats}:
        raise ValueError("one that holds any matrix: dense, bitmap or csr")
    return formats


class _File(BaseModel):
    """A machine's file."""

    model_config = STRICT
    title: Title
    family: str
    weight_bits: Annotated[int, Field(ge=1, le=64)]
    weight_formats: Annotated[list[WeightFormat], AfterValidator(_holds_all)] = ["dense"]
    skipped_patterns: list[Pattern] = []
    references: list[str] = []
    prices: dict[str, _Number]
    parameters: dict[str, _Number] = {}
    host: dict[str, _Number] = {}
    limits: dict[str, _Number] = {}
    choices: dict[str, str] = {}
    capabilities: Capabilities
    neurons: NeuronArithmetic = NeuronArithmetic()
    emulated: dict[str, str] = {}
    not_modelled: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One accelerator.

    Attributes:
        name: the file's name without ending. where: the file.
        title: one line. family: see `autoprune.cost.load`. references: publications.
        weight_bits: bits of a weight at which the machine is priced.
        weight_formats: those in which it can hold a matrix; it takes the smallest.
        skipped_patterns: patterns of zeros that it does not multiply by.
        prices, parameters: its numbers. limits: what it holds at most; see `autoprune.cost.limits`.
        host: prices of a MAC on its host, by bits of the operands,
            ascending. price_host: whether the energy holds what the host does.
        choices: the family's rules that it settles.
        capabilities: see there. neurons: what its neurons hold.
        emulation: the rule by which it stands in for what it cannot do, by capability.
        not_modelled: what the total leaves out, in words.
    """

    name: str
    where: str
    title: str
    family: str
    references: tuple[str, ...]
    weight_bits: int
    weight_formats: tuple[WeightFormat, ...]
    skipped_patterns: tuple[Pattern, ...]
    prices: tuple[Price, ...]
    parameters: tuple[Quantity, ...]
    limits: tuple[Quantity, ...]
    host: tuple[tuple[int, Price], ...]
    price_host: bool = False
    choices: Mapping[str, str]
    capabilities: Capabilities
    neurons: NeuronArithmetic
    emulation: Mapping[str, str]
    not_modelled: tuple[str, ...]

    def __post_init__(self) -> None:
        words = self.capabilities.model_dump()
        emulated = sorted(name for name, word in words.items() if word in ("emulated", "ac"))
        if sorted(self.emulation) != emulated:
            raise InputError(
                self.where,
                f"{len(self.emulation)} rules of emulation ({', '.join(self.emulation) or '-'})",
                f"one in [emulated] for each emulated capability ({', '.join(emulated) or '-'})",
            )

    @property
    def charged(self) -> tuple[Price, ...]:
        """All prices that the energy is made of."""
        return (*self.prices, *(price for _, price in self.host if self.price_host))

    @property
    def emulated(self) -> tuple[str, ...]:
        """The rules of emulation."""
        return tuple(self.emulation.values())

    def numbers(self) -> Mapping[str, Json]:
        """Everything that decides a cost, as JSON values."""
        return {
            "family": self.family,
            "weight_bits": self.weight_bits,
            "weight_formats": list(self.weight_formats),
            "skipped_patterns": list(self.skipped_patterns),
            "prices": {price.name: settled(price) for price in self.prices},
            "parameters": {quantity.name: asdict(quantity) for quantity in self.parameters},
            "choices": dict(self.choices),
            "capabilities": self.capabilities.model_dump(),
            **({"host": {p.name: settled(p) for _, p in self.host}} if self.price_host else {}),
        }


def settled(price: Price) -> dict[str, Json]:
    """What is charged: the lower end of a range is only shown."""
    return {key: value for key, value in asdict(price).items() if key != "least"}


def read_machine(path: Path) -> Machine:
    """The machine in a TOML file.

    Raises InputError for whatever is wrong with it, with the file and the key.
    """
    file = validate(_File, read_toml(path), str(path))
    return Machine(
        name=path.stem,
        where=str(path),
        prices=tuple(_price(path, name, number) for name, number in file.prices.items()),
        parameters=tuple(_quantity(path, "parameters", *item) for item in file.parameters.items()),
        limits=tuple(_quantity(path, "limits", *item) for item in file.limits.items()),
        host=tuple(sorted(_host(path, name, number) for name, number in file.host.items())),
        references=tuple(file.references),
        weight_formats=tuple(file.weight_formats),
        skipped_patterns=tuple(file.skipped_patterns),
        emulation=file.emulated,
        not_modelled=tuple(file.not_modelled),
        **file.model_dump(include={"title", "family", "weight_bits", "choices"}),
        capabilities=file.capabilities,
        neurons=file.neurons,
    )


def _price(path: Path, name: str, number: _Number) -> Price:
    where = f"{path}: prices.{name}"
    if number.scope is None:
        raise InputError(where, "no scope", "per_term or all_in")
    return _at(where, Price, {"name": name, **number.model_dump()})


def _host(path: Path, name: str, number: _Number) -> tuple[int, Price]:
    where = f"{path}: host.{name}"
    found = _MAC.fullmatch(name)
    if found is None:
        raise InputError(where, "unknown key", "mac_BITS, the price of a MAC, such as mac_32")
    if number.unit != "pJ" or number.access_bits is not None or number.scope is None:
        raise InputError(where, "no price of a MAC", "value in pJ, evidence, scope and source")
    return int(found[1]), _at(where, Price, {"name": f"host.{name}", **number.model_dump()})


def _quantity(path: Path, table: str, name: str, number: _Number) -> Quantity:
    where = f"{path}: {table}.{name}"
    if (number.scope, number.access_bits, number.least) != (None, None, None):
        raise InputError(where, "scope, access_bits or least", "them with prices only")
    values = number.model_dump(exclude={"scope", "access_bits", "least"})
    return _at(where, Quantity, {"name": name, **values})


def _at(where: str, kind: type[_Value], values: dict[str, Any]) -> _Value:
    """`kind` of those values; what is wrong with them is told with the place in the file."""
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(where, str(error)) from error
