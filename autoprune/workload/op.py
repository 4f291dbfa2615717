"""Op: one matrix operation of an inference in exact counts, without a joule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Literal, get_args

from autoprune.config import Json
from autoprune.errors import InputError
from autoprune.files import typed
from autoprune.workload.columns import PLACES, reader
from autoprune.workload.parts import (
    NO_NEURONS,
    PARTS,
    Activation,
    Activity,
    Geometry,
    Neurons,
    Second,
    Sizes,
    Work,
    check_word,
)

Kind = Literal["conv", "linear", "attention_product", "masking", "sum"]
Order = Literal["executed", "published"]
Orders = Literal["both", Order]


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One matrix operation, ``out[M, N] = A[M, K] @ B[K, N]`` per time step, group and head.

    A is the activation; B is a static weight, or in an attention product another activation.

    Attributes:
        name: unique within a workload and an order, such as ``blocks.0.attention.q``.
        kind: ``masking`` multiplies spikes entry by entry and ``sum`` adds spikes up, both without
            a MAC: K entries of A make one of M.
        block: index of the transformer block, None for stem and head.
        branch: ``attention``, ``mlp``, ``mixer``, ``stem`` or ``head``.
        order: for an attention product, whether the code executes this product or the papers
            publish it; ``both`` for all other operations. A price takes one order, never both.
        sizes: M, K, N, and how often the product is done.
        geometry: of a convolution.
        a, b: the operands.
        work: what multiplying them takes.
        norm_folded: whether a batch norm behind the product is folded into its weights.
        neurons: what the product drives.
        producers: names of the operations whose neurons feed A (and B).
        activity: how the spikes of A lie; None where it was not asked for.
    """

    name: str
    kind: Kind
    block: int | None
    branch: str
    order: Orders = "both"
    sizes: Sizes
    geometry: Geometry | None = None
    a: Activation
    b: Second
    work: Work
    norm_folded: bool = False
    neurons: Neurons = NO_NEURONS
    producers: tuple[str, ...] = ()
    activity: Activity | None = None

    def __post_init__(self) -> None:
        where = f"op {self.name!r}"
        check_word(where, "kind", self.kind, get_args(Kind))
        check_word(where, "order", self.order, get_args(Orders))
        for total, count, parts in (
            ("a_events", self.a.events, self.a.events_per_step),
            ("a_nonzeros", self.a.nonzeros, self.a.nonzeros_per_step),
            ("effective_sops", self.work.effective_sops, self.work.effective_sops_per_step),
        ):
            if len(parts) != self.sizes.time_steps or sum(parts) != count:
                raise InputError(
                    where,
                    f"{total} by step is {parts}",
                    f"{self.sizes.time_steps} counts that add up to {count}",
                )

    def to_dict(self) -> dict[str, Json]:
        """Every figure by its column, flat; `from_dict` reads it back."""
        values = {name: reader(name)(self) for name in PLACES}
        for name in NESTED:
            values[name] = values[name] and dataclasses.asdict(values[name])
        return values

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Op:
        """The Op of its columns, also where JSON turned tuples into lists.

        Raises InputError where a figure is wrong, KeyError where a column is absent or unknown.
        """
        given: dict[str, dict[str, Any]] = {"": {}, **{part: {} for part in PARTS}}
        for name, value in data.items():
            part, _, field = PLACES[name].rpartition(".")
            given[part][field] = _tuples(value)
        absent = _REQUIRED - data.keys()
        if absent:
            raise KeyError(*sorted(absent))
        own = given.pop("")
        for name, kind in NESTED.items():
            if own.get(name):
                own[name] = kind(**{key: _tuples(value) for key, value in own[name].items()})
        try:
            own |= {part: kind(**given[part]) for part, kind in PARTS.items()}
        except InputError as error:
            raise InputError(f"op {data['name']!r}", str(error)) from error
        return typed(cls(**own), *PARTS.values())


NESTED: Mapping[str, type[Geometry | Activity]] = {"geometry": Geometry, "activity": Activity}
"""Columns whose figures are nested in a file, and what they are."""


def field_of(name: str) -> dataclasses.Field[Any]:
    """The field of an Op, or of one of its parts, that holds a column."""
    part, _, own = PLACES[name].rpartition(".")
    fields = dataclasses.fields(PARTS[part] if part else Op)
    return next(field for field in fields if field.name == own)


_REQUIRED = frozenset(name for name in PLACES if field_of(name).default is MISSING)


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
