"""Raw: an operand before it is looked at, so that steps that follow each other can be joined."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from autoprune.workload.census.operand import Operand
from autoprune.workload.census.values import REAL, Values, by_channel, counted, examine


@dataclass(frozen=True, slots=True)
class Raw:
    """An operand before it is looked at.

    Attributes:
        x: [T, B, ...], or [1, B, ...].
        real: whether it is real whatever its data say.
        channel: an axis whose entries may have a unit each, where that makes them simpler.
        is_product: as in `Operand`.
        known: what it holds, where that is known.
        unit: what one spike may be; see `examine`.
    """

    x: Tensor
    real: bool = False
    channel: int | None = None
    is_product: bool = False
    known: Values | None = None
    unit: float | None = None

    def operand(self) -> Operand:
        """What it holds."""
        if self.known is not None and not self.real:
            return Operand(self.x, self.known, self.is_product)
        if self.real:
            return Operand(self.x, REAL, self.is_product)
        values = examine(self.x, self.unit)
        found = Operand(counted(self.x, values), values, self.is_product)
        if self.channel is None or (values.unit in (1.0, self.unit) and values != REAL):
            return found
        x, values = by_channel(self.x, self.channel)
        apart = Operand(x, values, self.is_product)
        return min(found, apart, key=lambda o: (o.rank, o.values.largest))

    def joined(self, others: list[Raw]) -> Raw:
        """What this step and those that follow it hold together."""
        raws = [self, *others]
        same = all(raw.known == self.known for raw in others)
        return replace(
            self,
            x=torch.cat([raw.x for raw in raws]),
            real=all(raw.real for raw in raws),
            known=self.known if same else None,
        )
