"""Count products of two activations, and a chain of two of them in both of its orders.

With q, k, v as [d, L] per head (d dimensions, L tokens), a self-attention without softmax is one
product of three matrices. Spikformer executes (v k^T) q, MaxFormer q^T (k v^T), the papers publish
(q^T k) v^T: scores of tokens with tokens first. The results are equal, the numbers of operations
are not.

The first product of either order has two binary operands: an event-driven machine touches every
event of one operand once per column of the other, and only coincidences, both 1, add anything.
The second has an integer operand, the first's result. It is selected by the binary one: an
accumulation, neither repeated events nor a MAC. A is the binary operand throughout, and in the
published first product it is q.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from autoprune.workload.census.activity import activity
from autoprune.workload.census.values import (
    REAL,
    Values,
    deviation,
    examine,
    is_one_bit,
    ones,
    per_step,
    spikes,
    whole,
)
from autoprune.workload.op import Op, Order


@dataclass(frozen=True, slots=True)
class Operand:
    """An activation ``x = [T, B, ..., rows, columns]`` and what it holds."""

    x: Tensor
    values: Values

    @property
    def mT(self) -> Operand:
        """The same, transposed."""
        return Operand(self.x.mT, self.values)

    def times(self, other: Operand, product: Tensor | None = None) -> Operand:
        """The matrix product with another; `product` where it was computed before."""
        x = self.x @ other.x if product is None else product
        real = "real" in (self.values.kind, other.values.kind)
        return Operand(x, examine(x, whole=not real))


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of activations, A @ B, as [T, B, ..., M, K] and [T, B, ..., K, N].

    Attributes:
        name, block, branch, producers: as in `autoprune.workload.op.Op`.
        with_activity: whether the figures of `autoprune.workload.op.Activity` are taken.
    """

    name: str
    block: int | None
    branch: str
    producers: tuple[str, ...]
    a: Operand
    b: Operand
    with_activity: bool = True

    def of(self, a: Operand, b: Operand) -> Product:
        """The same place in the network with other operands."""
        return replace(self, a=a, b=b)


def count_product(product: Product, order: Order | None = None) -> Op:
    """The Op of one product, without neurons; `order` where it is part of a chain."""
    a, b = product.a.x, product.b.x
    steps, samples = a.shape[:2]
    m, k, n = *a.shape[-2:], b.shape[-1]
    heads = math.prod(a.shape[2:-2])
    real = "real" in (product.a.values.kind, product.b.values.kind)
    a_values, b_values = REAL if real else product.a.values, product.b.values
    shape = (steps, samples, -1)
    held = ones(b, b_values).sum(-1).double()
    by_column = torch.zeros_like(held) if real else spikes(a, a_values).sum(-2).double()
    events = by_column.reshape(shape).sum(2)
    coincidences = (by_column * held).reshape(shape).sum(2)
    nonzeros = per_step(events if is_one_bit(a_values) else ones(a, a_values).flatten(2).sum(2))
    dense = steps * samples * heads * m * k * n
    return Op(
        name=product.name,
        kind="attention_product",
        block=product.block,
        branch=product.branch,
        order=order or "both",
        m=m,
        k=k,
        n=n,
        heads=heads,
        time_steps=steps,
        a_class=a_values.kind,
        b_class=b_values.kind,
        a_bits=a_values.bits,
        b_bits=b_values.bits,
        a_size=a.numel(),
        a_nonzeros=sum(nonzeros),
        a_events=whole(events),
        b_size=b.numel(),
        b_nonzeros=whole(held),
        b_events=0 if b_values.kind == "real" else whole(spikes(b, b_values).sum(-1)),
        events_per_step=per_step(events),
        nonzeros_per_step=nonzeros,
        a_events_std=deviation(events),
        dense_macs=dense,
        fanout_sops=whole(events) * n,
        effective_sops=whole(coincidences),
        effective_sops_per_step=per_step(coincidences),
        effective_sops_std=deviation(coincidences),
        real_macs=dense if real else 0,
        producers=product.producers,
        activity=activity(a.mT) if product.with_activity else None,
    )


def count_chain(
    first: Product, counted: Op, second: Product, *, on_right: bool, scores_first: bool
) -> tuple[Op, ...]:
    """Four Ops of a product of three: executed and published, first and second.

    Args:
        first: A @ B, as executed.
        counted: its Op.
        second: C, the third, as its `a`, and A @ B as its `b`.
        on_right: whether (A B) C is executed; else C (A B).
        scores_first: whether A @ B are the scores of tokens with tokens, so that what is executed
            is the published order, too.
    """
    a, b, c, done = first.a, first.b, second.a, second.b
    if on_right:
        then = second.of(c.mT, done.mT)
        other = first.of(c.mT, b.mT), second.of(a, c.mT.times(b.mT).mT)
    else:
        then = second.of(c, done)
        other = first.of(c, a), second.of(b.mT, c.times(a).mT)
    executed = replace(counted, order="executed"), count_product(then, "executed")
    if scores_first:
        return *executed, *(replace(op, order="published") for op in executed)
    return *executed, *(count_product(product, "published") for product in other)


def contracts_tokens(a: Tensor, tokens: int, *, tokens_fastest: bool) -> bool:
    """Whether the last axis of the first factor, over which it is summed, holds the tokens.

    Args:
        a: the first factor, [..., M, K], a view of what a layer's neurons emitted.
        tokens: how many there are. Where M and K are both as many, the memory layout tells:
        tokens_fastest: whether that layer emits [..., channels, tokens], as convolutions do.
    """
    rows, summed = a.shape[-2:]
    if (rows == tokens) != (summed == tokens):
        return bool(summed == tokens)
    return (a.stride(-1) < a.stride(-2)) == tokens_fastest
