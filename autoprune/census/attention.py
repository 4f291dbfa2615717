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

from autoprune.census.activity import bits, deviation, operand_class, per_step, whole
from autoprune.op import Op, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product of activations, A @ B, as [T, B, ..., M, K] and [T, B, ..., K, N].

    Attributes:
        name, block, branch, producers: as in `autoprune.workload.Op`.
        steps: T.
    """

    name: str
    block: int | None
    branch: str
    producers: tuple[str, ...]
    steps: int
    a: Tensor
    b: Tensor

    def of(self, a: Tensor, b: Tensor) -> Product:
        """The same place in the network with other operands."""
        return replace(self, a=a, b=b)


def count_product(product: Product, order: Order | None = None) -> Op:
    """The Op of one product, without neurons; `order` where it is part of a chain."""
    steps, a, b = product.steps, product.a, product.b
    m, k, n = *a.shape[-2:], b.shape[-1]
    heads = math.prod(a.shape[2:-2])
    samples = a.shape[1]
    a_class, b_class = operand_class(a), operand_class(b)
    real = "real" in (a_class, b_class)
    shape, spikes = (steps, samples, -1), 0.0 if real else 1.0
    by_column = a.sum(-2).double() * spikes  # whole numbers that float32 holds
    events = by_column.reshape(shape).sum(2)
    held = (b != 0).sum(-1)
    coincidences = (by_column * held).reshape(shape).sum(2)
    nonzeros = per_step(torch.count_nonzero(a.flatten(2), 2))
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
        a_class="real" if real else a_class,
        b_class=b_class,
        a_bits=bits(a, "real" if real else a_class),
        b_bits=bits(b, b_class),
        a_size=a.numel(),
        a_nonzeros=sum(nonzeros),
        a_events=whole(events),
        b_size=b.numel(),
        b_nonzeros=int(held.sum()),
        b_events=0 if b_class == "real" else whole(b.sum(-1)),
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
    )


def count_chain(
    first: Product, second: Product, *, on_right: bool, scores_first: bool
) -> tuple[Op, ...]:
    """Four Ops of a product of three: executed and published, first and second.

    Args:
        first: A @ B, as executed.
        second: with `a` = C, the third; its `b` is not looked at.
        on_right: whether (A B) C is executed; else C (A B).
        scores_first: whether A @ B are the scores of tokens with tokens, so that what is executed
            is the published order, too.
    """
    a, b, c = first.a, first.b, second.a
    done = a @ b
    if on_right:
        executed = first, second.of(c.mT, done.mT)
        other = first.of(c.mT, b.mT), second.of(a, (c.mT @ b.mT).mT)
    else:
        executed = first, second.of(c, done)
        other = first.of(c, a), second.of(b.mT, (c @ a).mT)
    published = executed if scores_first else other
    return (
        *(count_product(product, "executed") for product in executed),
        *(count_product(product, "published") for product in published),
    )


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
