"""Touched: where a product was not zero, so that a neuron behind it has something to add."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from autoprune.workload.census.call import Call
from autoprune.workload.census.values import nonzero


@dataclass(frozen=True, slots=True)
class Touched:
    """The entries at which a product is not 0, followed to a neuron and counted there.

    Attributes:
        held: where they are; None where they are everywhere.
        steps: calls since, with the index of several results, and whether all entries are still
            there, each once. A pooled entry is touched where any of its window is.
    """

    held: np.ndarray | None
    steps: tuple[tuple[Call, int | None, bool], ...] = ()

    @classmethod
    def of(cls, product: Tensor, bias: Tensor | None = None) -> Touched:
        """What a layer gave; `bias`, broadcast to it, is what stands where the product is 0."""
        held = nonzero(product, bias)
        return cls(None if held.all() else held)

    def column(self) -> Touched:
        """What a product of one column touches, as the vector that it is."""
        return self if self.held is None else Touched(self.held[..., 0])

    def then(self, call: Call, index: int | None = None) -> Touched:
        """After a call whose first argument is this; `index` of several results."""
        rest = replace(call, args=call.args[1:], out=None)
        whole = call.is_same and index is None and call.out.numel() == call.args[0].numel()
        return replace(self, steps=(*self.steps, (rest, index, whole)))

    @classmethod
    def joined(
        cls, parts: list[tuple[torch.Size, Touched | None]], dim: int, *, stacked: bool
    ) -> Touched | None:
        """What parts touch, joined along `dim` or stacked, by their shapes; None where unknown."""
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
        return nonzero(self._replayed(torch.from_numpy(self.held), len(self.steps)))

    def count(self, entries: int) -> int:
        """How many of a neuron layer's `entries` are touched.

        Where the path is not one of views and pools, so that the numbers differ, all are.
        """
        if self.held is None:
            return entries
        held, full, done = self.held, 0, len(self.steps)
        while done and self.steps[done - 1][2]:  # views of all entries at the end change no number
            done -= 1
        if done:
            if all("pool" in call.name for call, *_ in self.steps[:done]):
                gaps = ~held.reshape(len(held), -1).all(1)  # rows without have none behind it
                full, held = len(held) - int(gaps.sum()), held[gaps]
            x = self._replayed(torch.from_numpy(held), done)
            held, full = nonzero(x), full * x[0].numel()
        return full + int(np.count_nonzero(held)) if full + held.size == entries else entries

    def _replayed(self, x: Tensor, steps: int) -> Tensor:
        """What is left of where a product is not 0 after so many steps."""
        for call, index, _ in self.steps[:steps]:
            # With channels last, torch pools images seven times faster.
            last = x.ndim == 4 and "pool" in call.name
            x = x.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
            x = call.function(x.float(), *call.args, **call.named)
            x = x if index is None else x[index]
        return x
