"""Operand: an activation with what it holds, and what an Op says of operands and their work.

It is `Raw` before it is looked at, so that steps that follow each other can be joined.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from autoprune.workload.census.values import (
    REAL,
    Values,
    by_channel,
    counted,
    deviation,
    examine,
    is_one_bit,
    ones,
    per_step,
    product,
    spikes,
    whole,
)
from autoprune.workload.parts import Activation, OperandClass, Second, Work

RANKS: tuple[OperandClass, ...] = ("binary", "ternary", "integer", "real")


@dataclass(frozen=True, slots=True)
class Operand:
    """An activation ``x = [T, B, ..., rows, columns]`` in units, and what it holds.

    Attributes:
        x: whole numbers where it holds spikes.
        values: what that is.
        is_product: whether it was multiplied before.
    """

    x: Tensor
    values: Values
    is_product: bool = False

    @property
    def rank(self) -> tuple[int, bool]:
        """Rank among two operands: the lower is A, which selects entries of the other."""
        return RANKS.index(self.values.kind), self.is_product

    @property
    def mT(self) -> Operand:
        """The same, transposed."""
        return Operand(self.x.mT, self.values, self.is_product)

    def times(self, other: Operand, made: Tensor | None = None) -> Operand:
        """The matrix product with another; `made` where it was computed before."""
        x = product(self.x, other.x) if made is None else made
        real = "real" in (self.values.kind, other.values.kind)
        return Operand(x, REAL if real else examine(x, whole=True), is_product=True)

    def spikes(self) -> Tensor:
        """Events of every entry; see `autoprune.workload.census.values.spikes`."""
        return spikes(self.x, self.values)

    def ones(self) -> Tensor:
        """1 where an entry is not 0; see `autoprune.workload.census.values.ones`."""
        return ones(self.x, self.values)


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

    def joined(self, others: list[Raw], dim: int) -> Raw:
        """What this one and those that follow it along `dim`, as steps do, hold together."""
        raws = [self, *others]
        same = all(raw.known == self.known for raw in others)
        return replace(
            self,
            x=torch.cat([raw.x for raw in raws], dim),
            real=all(raw.real for raw in raws),
            known=self.known if same else None,
        )


def activation(a: Operand, events: Tensor) -> Activation:
    """`a` as the first operand of an Op, with its events [T, B]."""
    nonzeros = per_step(events if is_one_bit(a.values) else a.ones().flatten(2).sum(2))
    return Activation(
        kind=a.values.kind,
        bits=a.values.bits,
        size=a.x.numel(),
        nonzeros=sum(nonzeros),
        events=whole(events),
        events_std=deviation(events),
        events_per_step=per_step(events),
        nonzeros_per_step=nonzeros,
    )


def second(b: Operand, nonzeros: int, repeats: int = 1) -> Second:
    """`b` as the second operand of an Op, with its nonzeros.

    Args:
        b: the operand.
        nonzeros: those of its entries.
        repeats: how often it was repeated for the product; each entry counts once.
    """
    real = b.values.kind == "real"
    return Second(
        kind=b.values.kind,
        bits=b.values.bits,
        size=b.x.numel() // repeats,
        nonzeros=nonzeros // repeats,
        events=0 if real else whole(b.spikes().sum(tuple(range(2, b.x.ndim)))) // repeats,
    )


def work(a: Operand, dense_macs: int, fanout_sops: int, effective: Tensor) -> Work:
    """What a product with `a` takes; `effective` are its synaptic operations, [T, B]."""
    return Work(
        dense_macs=dense_macs,
        real_macs=dense_macs if a.values.kind == "real" else 0,
        fanout_sops=fanout_sops,
        effective_sops=whole(effective),
        effective_sops_per_step=per_step(effective),
        effective_sops_std=deviation(effective),
    )
