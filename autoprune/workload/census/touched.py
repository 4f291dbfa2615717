"""Touched: where a product was not zero, so that a neuron behind it has something to add."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from autoprune.workload.census.call import Call
from autoprune.workload.census.functions import RESHAPES
from autoprune.workload.census.values import nonzero


@dataclass(frozen=True, slots=True)
class _Step:
    """One result of an operator that rearranged or pooled the product."""

    call: Call
    index: int | None

    @property
    def keeps_all(self) -> bool:
        """Whether every entry is still there, once."""
        return self.index is None and self.call.name in RESHAPES

    @property
    def pools(self) -> bool:
        """Whether it pools the last axes, each entry of the first on its own."""
        return "pool" in self.call.name


@dataclass(frozen=True, slots=True)
class Touched:
    """The entries at which a product is not 0, followed to a neuron and counted there.

    Attributes:
        held: where they are; None where they are everywhere.
        steps: what was done to it since. A pooled entry is touched where any of its window is.
    """

    held: np.ndarray | None
    steps: tuple[_Step, ...] = ()

    @classmethod
    def of(cls, product: Tensor, bias: Tensor | None = None) -> Touched:
        """What a layer gave; `bias`, broadcast to it, is what stands where the product is 0."""
        held = nonzero(product, bias)
        return cls(None if held.all() else held)

    def column(self) -> Touched:
        """Of a product of one column, as the vector that it is."""
        return self if self.held is None else Touched(self.held[..., 0])

    def then(self, call: Call, index: int | None = None) -> Touched:
        """After a call whose first argument is this; `index` of several results."""
        rest = Call(call.function, call.args[1:], call.named, None)
        return replace(self, steps=(*self.steps, _Step(rest, index)))

    @classmethod
    def joined(
        cls, parts: list[tuple[torch.Size, Touched | None]], dim: int, *, stacked: bool
    ) -> Touched | None:
        """Of parts, with their shapes, that are stacked or joined along `dim`; None if unknown."""
        held = []
        for shape, part in parts:
            if part is None:
                return None
            place = part._seen() if part.held is not None else np.ones(shape, dtype=np.bool_)
            if place.shape != tuple(shape):
                return None
            held.append(place)
        return cls(np.stack(held, dim) if stacked else np.concatenate(held, dim))

    def _seen(self) -> np.ndarray:
        """Where they are in the shape that they have by now."""
        assert self.held is not None
        return nonzero(_replayed(torch.from_numpy(self.held), self.steps))

    def count(self, entries: int) -> int:
        """How many of a neuron layer's `entries` are touched.

        Where the path is not one of views and pools, so that the numbers differ, all are.
        """
        if self.held is None:
            return entries
        held, full = self.held, 0
        changes = [i for i, step in enumerate(self.steps) if not step.keeps_all]
        if changes:
            steps = self.steps[: changes[-1] + 1]
            if all(step.pools for step in steps):  # rows without a gap have none behind it
                gaps = ~held.reshape(len(held), -1).all(1)
                full, held = len(held) - int(gaps.sum()), held[gaps]
            x = _replayed(torch.from_numpy(held), steps)
            held, full = nonzero(x), full * x[0].numel()
        return full + int(np.count_nonzero(held)) if full + held.size == entries else entries


def _replayed(x: Tensor, steps: tuple[_Step, ...]) -> Tensor:
    """What is left of where a product is not 0."""
    for step in steps:
        # With channels last, torch pools images seven times faster.
        last = x.ndim == 4 and step.pools
        x = x.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        x = step.call.function(x.float(), *step.call.args, **step.call.named)
        x = x if step.index is None else x[step.index]
    return x
