"""Operand: an activation with what it holds, and what an Op says of operands and their work."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from autoprune.workload.census.values import (
    REAL,
    Values,
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
