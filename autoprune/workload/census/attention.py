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
from dataclasses import replace

import torch
from torch import Tensor

from autoprune.workload.census.activity import asked
from autoprune.workload.census.operand import Operand, activation, second, work
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Sizes


def count_product(at: Site, a: Operand, b: Operand) -> Op:
    """The Op of one product, [T, B, ..., M, K] @ [T, B, ..., K, N], without neurons.

    Where B holds fewer bits than A, it is B^T @ A^T: spikes select, whichever side they stand on.
    Events that select real numbers are events, and no MAC.
    """
    if b.rank < a.rank:
        a, b = b.mT, a.mT
    steps, samples = a.x.shape[:2]
    m, k, n = *a.x.shape[-2:], b.x.shape[-1]
    heads = math.prod(a.x.shape[2:-2])
    held = b.ones().sum(-1).double()
    real = a.values.kind == "real"
    by_column = torch.zeros_like(held) if real else a.spikes().sum(-2).double()
    shape = (steps, samples, -1)
    events = by_column.reshape(shape).sum(2)
    coincidences = (by_column * held).reshape(shape).sum(2)
    return at.op(
        kind="attention_product",
        sizes=Sizes(m=m, k=k, n=n, heads=heads, time_steps=steps),
        a=activation(a, events),
        b=second(b, whole(held)),
        work=work(a, steps * samples * heads * m * k * n, whole(events) * n, coincidences),
        activity=asked(at, a.x.mT, () if real else (a.x,)),
    )


def count_chain(  # noqa: PLR0913 - two places and three factors
    sites: tuple[Site, Site],
    factors: tuple[Operand, Operand, Operand],
    done: Operand,
    *,
    on_right: bool,
    scores_first: bool,
    counted: Op | None = None,
) -> tuple[tuple[Op, Op], tuple[Op, Op]]:
    """The Ops of a product of three: of its first product and its second, executed and published.

    Args:
        sites: where the two stand.
        factors: A, B and C.
        done: A @ B, as executed.
        on_right: whether (A B) C is executed; else C (A B).
        scores_first: whether A @ B are the scores of tokens with tokens: in (A B) C those of q,
            which is the published order, too, in C (A B) those of k.
        counted: the Op of A @ B, where it was counted before.
    """
    (first, then), (a, b, c) = sites, factors
    last = count_product(then, *((c.mT, done.mT) if on_right else (c, done)))
    executed = counted or count_product(first, a, b), last
    if not scores_first:
        q, k, v = (c.mT, b.mT, a) if on_right else (c, a, b.mT)
        published = count_product(first, q, k), count_product(then, v, q.times(k).mT)
    elif on_right:
        published = executed
    else:
        published = count_product(first, b.mT, a.mT), last
    one, two = (
        (replace(code, order="executed"), replace(paper, order="published"))
        for code, paper in zip(executed, published, strict=True)
    )
    return one, two


def contracts_tokens(a: Tensor, tokens: int, channels: int | None) -> bool:
    """Whether the last axis of the first factor, over which it is summed, holds the tokens.

    Args:
        a: the first factor, [..., M, K].
        tokens: how many there are.
        channels: axis of `a` that holds channels of the layer before it, -2 or -1; None where that
            is not known.
    """
    if channels is not None:
        return channels == -2
    return bool(a.shape[-1] == tokens and a.shape[-2] != tokens)
