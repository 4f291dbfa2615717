"""Call: one call of a torch function while the census follows a pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from torch import Tensor

_WRITING = {"__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "__setitem__"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a torch function.

    Attributes:
        function: what was called.
        args, named: what it was given.
        out: what it gave.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    named: Mapping[str, Any]
    out: Any

    @property
    def name(self) -> str:
        """What the function is called."""
        return getattr(self.function, "__name__", "")

    @property
    def inputs(self) -> list[Tensor]:
        """Every tensor of numbers that it was given."""
        return [x for x in flattened((self.args, self.named)) if is_array(x)]

    @property
    def results(self) -> list[tuple[int | None, Tensor]]:
        """Every tensor of numbers that it gave, with its index where it gave several."""
        if isinstance(self.out, tuple | list):
            return [(index, x) for index, x in enumerate(self.out) if is_array(x)]
        return [(None, self.out)] if is_array(self.out) else []

    @property
    def is_in_place(self) -> bool:
        """Whether it wrote into its first argument, or into one given as ``out``."""
        name = self.name
        written = name.endswith("_") and (not name.endswith("__") or name in _WRITING)
        return written or "out" in self.named

    def given(self, names: tuple[str, ...]) -> dict[str, Any]:
        """What it was given by name; `names` are those of its arguments, in their order."""
        return {**dict(zip(names, self.args, strict=False)), **self.named}


def is_array(value: object) -> TypeGuard[Tensor]:
    """Whether it is a tensor of numbers, not a size that torch hands on as one while it records."""
    return isinstance(value, Tensor) and (value.ndim > 0 or value.is_floating_point())


def flattened(values: object) -> list[object]:
    """Everything inside nested tuples, lists and dictionaries."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, tuple | list):
        return [item for value in values for item in flattened(value)]
    return [values]
