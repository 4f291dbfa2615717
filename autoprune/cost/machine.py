"""Machine: one accelerator as its TOML file describes it, or the same tables given in Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import tomlkit
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from autoprune.compress.arithmetic import Arithmetic
from autoprune.config import STRICT, Json, Title, read_toml, validate
from autoprune.cost.arithmetic import Finest, NeuronArithmetic
from autoprune.cost.capabilities import Capabilities
from autoprune.cost.fixed_point import FixedPoint
from autoprune.cost.price import Price, Quantity
from autoprune.errors import InputError
from autoprune.networks.granularity import Differing, Granularity
from autoprune.workload.columns import Pattern, WeightFormat


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


_NAME = re.compile(r"\w[\w.-]*")
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
    arithmetic: FixedPoint | None = None
    emulated: dict[str, str] = {}
    not_modelled: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Machine:
    """One accelerator; `of` makes one without a file.

    Attributes:
        name: the file's name without ending. where: the file, or what it is in words.
        title: one line. family: see `autoprune.cost.load`. references: publications.
        weight_bits: bits of a weight at which the machine is priced.
        weight_formats: those in which it can hold a matrix; it takes the smallest.
        skipped_patterns: patterns of zeros that it does not multiply by.
        prices, parameters: its numbers. limits: what it holds at most; see `autoprune.cost.limits`.
        host: prices of a MAC on its host, by bits of the operands,
            ascending. price_host: whether the energy holds what the host does.
        choices: the family's rules that it settles.
        capabilities: see there. neurons: what its neurons hold. fixed_point: the integers in which
            they compute; None where its file does not say.
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
    fixed_point: FixedPoint | None = None
    emulation: Mapping[str, str]
    not_modelled: tuple[str, ...]

    def __post_init__(self) -> None:
        words = self.capabilities.model_dump()
        emulated = sorted(name for name, word in words.items() if word in ("emulated", "ac"))
        widest = self.fixed_point
        if widest is not None and self.weight_bits + widest.fraction.bits > widest.state.bits:
            raise InputError(
                f"{self.where}: arithmetic",
                f"a state of {widest.state.bits} bits for weights of {self.weight_bits}",
                f"at least {self.weight_bits + widest.fraction.bits}, with the fraction",
            )
        if sorted(self.emulation) != emulated:
            raise InputError(
                self.where,
                f"{len(self.emulation)} rules of emulation ({', '.join(self.emulation) or '-'})",
                f"one in [emulated] for each emulated capability ({', '.join(emulated) or '-'})",
            )

    @classmethod
    def of(cls, name: str, **tables: Any) -> Self:
        """A machine of that name from what its TOML file would hold, tables as dicts.

        Raises InputError for whatever is wrong with it, with the key.
        """
        if not _NAME.fullmatch(name):
            raise InputError("machine", f"given the name {name!r}", "letters, digits and _.- alone")
        return cls._read(name, f"machine {name}", tables)

    @classmethod
    def _read(cls, name: str, where: str, tables: Mapping[str, Any]) -> Self:
        file = validate(_File, tables, where)
        return cls(
            name=name,
            where=where,
            prices=tuple(_price(where, *item) for item in file.prices.items()),
            parameters=tuple(_quantity(where, "parameters", *i) for i in file.parameters.items()),
            limits=tuple(_quantity(where, "limits", *item) for item in file.limits.items()),
            host=tuple(sorted(_host(where, *item) for item in file.host.items())),
            references=tuple(file.references),
            weight_formats=tuple(file.weight_formats),
            skipped_patterns=tuple(file.skipped_patterns),
            emulation=file.emulated,
            not_modelled=tuple(file.not_modelled),
            **file.model_dump(include={"title", "family", "weight_bits", "choices"}),
            capabilities=file.capabilities,
            neurons=file.neurons,
            fixed_point=file.arithmetic,
        )

    def __repr__(self) -> str:
        """In a line."""
        return f"<machine {self.name}: {self.title}>"

    def to_toml(self) -> str:
        """The text of a file that is read as this machine, under its name."""
        tables = {
            "title": self.title,
            "family": self.family,
            "weight_bits": self.weight_bits,
            "weight_formats": list(self.weight_formats),
            "skipped_patterns": list(self.skipped_patterns),
            "references": list(self.references),
            "not_modelled": list(self.not_modelled),
            "prices": _numbers(self.prices),
            "parameters": _numbers(self.parameters),
            "limits": _numbers(self.limits),
            "host": _numbers(price for _, price in self.host),
            "choices": dict(self.choices),
            "capabilities": self.capabilities.model_dump(),
            "neurons": self.neurons.model_dump(exclude_none=True),
            "emulated": dict(self.emulation),
            **({"arithmetic": self.fixed_point.model_dump()} if self.fixed_point else {}),
        }
        return tomlkit.dumps(tables)

    @property
    def arithmetic(self) -> Arithmetic | None:
        """The integers in which a network computes there; None where its file does not say."""
        own = self.fixed_point
        return None if own is None else own.arithmetic(self.weight_bits, self.neurons)

    def lacks(self, asked: Mapping[Differing, Granularity]) -> Mapping[Differing, Finest]:
        """What its neurons cannot hold in such a granularity, and what they can.

        Nothing where its arithmetic is known: then a network is measured with what they hold.
        """
        return {} if self.fixed_point is not None else self.neurons.lacks(asked)

    @property
    def precision(self) -> tuple[int, Arithmetic | None]:
        """Bits of a weight and integers in which a network is measured for it, where it can be."""
        return self.weight_bits, self.arithmetic

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

    Raises InputError for whatever is wrong with it, with the file and the key; its name is the
    file's.
    """
    try:
        path.stem.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            str(path), "a name that is not UTF-8", "one that tables can hold"
        ) from error
    return Machine._read(path.stem, str(path), read_toml(path))


def _numbers(values: Iterable[Price | Quantity]) -> dict[str, dict[str, Json]]:
    """The lines of a table, by name."""
    return {
        value.name.removeprefix("host."): {
            key: found
            for key, found in asdict(value).items()
            if key != "name" and found is not None
        }
        for value in values
    }


def _price(at: str, name: str, number: _Number) -> Price:
    where = f"{at}: prices.{name}"
    if number.scope is None:
        raise InputError(where, "no scope", "per_term or all_in")
    return _at(where, Price, {"name": name, **number.model_dump()})


def _host(at: str, name: str, number: _Number) -> tuple[int, Price]:
    where = f"{at}: host.{name}"
    found = _MAC.fullmatch(name)
    if found is None:
        raise InputError(where, "unknown key", "mac_BITS, the price of a MAC, such as mac_32")
    if number.unit != "pJ" or number.access_bits is not None or number.scope is None:
        raise InputError(where, "no price of a MAC", "value in pJ, evidence, scope and source")
    return int(found[1]), _at(where, Price, {"name": f"host.{name}", **number.model_dump()})


def _quantity(at: str, table: str, name: str, number: _Number) -> Quantity:
    where = f"{at}: {table}.{name}"
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
