"""Call: one call of an operator of torch while the census follows a pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload

_VIEWS = {"_unsafe_view", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk"}
"""Views that torch does not call so."""

_COPIES = {"clone", "_to_copy", "_to_sparse", "_to_sparse_csr", "_to_dense"}
"""What gives the entries of a tensor anew."""

_ROUNDS = {"heaviside", "sign", "sgn", "round", "floor", "ceil", "trunc", "floor_divide"}
_ROUNDS |= {"bernoulli", "poisson"}
"""What makes whole numbers of real ones and holds them as real ones."""


_MAKES = {"linspace", "uniform", "normal", "random"}
"""What writes numbers of its own over those of a tensor."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operator, composite functions taken apart.

    Attributes:
        function: what was called.
        args, named: what it was given.
        out: what it gave.
        name: what the operator is called, such as ``mul``; in place is no other operator.
        inputs: every tensor that it was given.
    """

    function: OpOverload
    args: tuple[Any, ...]
    named: Mapping[str, Any]
    out: Any
    name: str = field(init=False)
    inputs: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        """Both are asked for some twenty times a call."""
        object.__setattr__(self, "name", _name(self.function))
        object.__setattr__(self, "inputs", [*tensors(self.args), *tensors(self.named)])

    @property
    def results(self) -> list[tuple[int | None, Tensor]]:
        """Every tensor that it gave, with its index where it gave several."""
        if isinstance(self.out, tuple | list):
            return [(i, x) for i, x in enumerate(self.out) if isinstance(x, Tensor)]
        return [(None, self.out)] if isinstance(self.out, Tensor) else []

    @property
    def is_in_place(self) -> bool:
        """Whether it writes into what it was given."""
        return self.function._schema.is_mutable and not self.turns

    @property
    def is_view(self) -> bool:
        """Whether its result is the memory that it was given, seen differently."""
        return self.function.is_view or self.turns or self.name in _VIEWS

    @property
    def is_same(self) -> bool:
        """Whether its result holds entries of what it was given: a view, or a copy."""
        return self.is_view or self.name in _COPIES

    @property
    def turns(self) -> bool:
        """Whether it makes a view of the very tensor that it was given, such as ``transpose_``."""
        return torch.Tag.inplace_view in self.function.tags

    @property
    def is_entrywise(self) -> bool:
        """Whether every entry of its result is made of one entry of each input."""
        return torch.Tag.pointwise in self.function.tags

    @property
    def is_reduction(self) -> bool:
        """Whether it makes one entry of all along some dimensions, such as a sum."""
        return torch.Tag.reduction in self.function.tags

    @property
    def is_batch_norm(self) -> bool:
        """Whether it is one of torch's kernels for it."""
        return "batch_norm" in self.name

    @property
    def makes(self) -> bool:
        """Whether it takes shape and type from a tensor, and nothing else."""
        name = self.name
        return name.startswith("new_") or name.endswith("_like") or name in _MAKES

    @property
    def is_core(self) -> bool:
        """Whether it is one of the operators of which torch makes all others."""
        return _is_core(self.function, self.name)

    @property
    def is_average(self) -> bool:
        """Whether it is a mean, or one of windows."""
        return "avg_pool" in self.name or self.name == "mean"

    @property
    def is_pool(self) -> bool:
        """Whether it makes an entry of a window, or of several entries, by mean or maximum."""
        return "pool" in self.name or self.name == "mean"

    @property
    def rounds(self) -> bool:
        """Whether it makes whole numbers of real ones, also as another type: a comparison, a cast.

        Of what a step emits in which nothing fires, data do not tell: all entries are 0.
        """
        given, out = self.args[0] if self.args else None, self.out
        if not isinstance(out, Tensor) or not isinstance(given, Tensor):
            return False
        if _fineness(out) < _fineness(given):
            return self.is_entrywise or self.name in _COPIES
        floors = self.name == "div" and self.argument("rounding_mode") is not None
        return floors or self.name in _ROUNDS

    def argument(self, name: str, default: Any = None) -> Any:
        """What it was given for the argument `name` of its schema."""
        if name in self.named:
            return self.named[name]
        for place, known in enumerate(self.function._schema.arguments):
            if known.name == name:
                if place < len(self.args):
                    return self.args[place]
                return known.default_value if known.has_default_value() else default
        return default


def _fineness(x: Tensor) -> int:
    """0 of truths, 1 of whole numbers, 2 of real ones."""
    return (x.dtype != torch.bool) + (x.is_floating_point() or x.is_complex())


@cache
def _name(function: OpOverload) -> str:
    name = str(function._schema.name).removeprefix("aten::")
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


@cache
def _is_core(function: OpOverload, name: str) -> bool:
    packet = getattr(torch.ops.aten, name, None)
    kinds = [getattr(packet, overload) for overload in packet.overloads()] if packet else []
    return any(torch.Tag.core in kind.tags for kind in (function, *kinds))


def tensors(values: object) -> list[Tensor]:
    """Every tensor inside nested tuples, lists and dictionaries."""
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, dict):
        values = values.values()
    elif not isinstance(values, tuple | list):
        return []
    return [x for value in values for x in tensors(value)]
