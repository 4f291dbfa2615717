"""Count the two products of a spiking self-attention, in executed and in published order.

With q, k, v as [d, L] per head (d dimensions, L tokens), spikingjelly executes (v k^T) q, the
papers publish (q^T k) v^T. The results are equal, the numbers of operations are not.

The first product of either order has two binary operands: an event-driven machine touches every
event of one operand once per column of the other, and only coincidences, both 1, add anything.
The second has an integer operand, the first's result. It is selected by the binary one: an
accumulation, neither repeated events nor a MAC. A is the binary operand throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor

from autoprune.census.activity import deviation, operand_class, per_step, whole
from autoprune.errors import CountingError
from autoprune.models.adapter import Attention
from autoprune.workload import Op


def count_attention(
    site: Attention, qkv: Tensor, updates_active: int, output_spikes: int
) -> Iterator[Op]:
    """Four Ops: ``product1`` and ``product2``, executed and published.

    Args:
        site: the attention.
        qkv: the spikes of q, k and v, [T, B, 3 h d, L].
        updates_active: of the neurons behind the second product.
        output_spikes: likewise.

    Raises CountingError where q, k, v are not binary.
    """
    if operand_class(qkv) != "binary":
        raise CountingError(f"{site.name}: q, k and v are not binary spikes")
    steps, batch = qkv.shape[:2]
    q, k, v = qkv.double().reshape(steps, batch, 3, site.heads, -1, qkv.shape[-1]).unbind(2)
    d, tokens = q.shape[-2:]
    neurons = site.heads * d * tokens
    behind = {
        "neurons": neurons,
        "updates_active": updates_active,
        "updates_inactive": steps * batch * neurons - updates_active,
        "output_spikes": output_spikes,
    }
    values = v @ k.mT  # [T, B, h, d, d]
    scores = q.mT @ k  # [T, B, h, L, L]
    yield _product(site, "executed", 1, v, k.mT)
    yield _product(site, "executed", 2, q.mT, values.mT, **behind)
    yield _product(site, "published", 1, q.mT, k)
    yield _product(site, "published", 2, v, scores.mT, **behind)


def _product(
    site: Attention,
    order: Literal["executed", "published"],
    number: int,
    a: Tensor,
    b: Tensor,
    **behind: Any,
) -> Op:
    """The Op of ``a @ b`` with binary a [T, B, h, M, K] and b [T, B, h, K, N]."""
    steps, batch, heads, m, k = a.shape
    n = b.shape[-1]
    events = a.sum((2, 3, 4))
    held = (b != 0).double()
    coincidences = (a.sum(3) * held.sum(4)).sum((2, 3))
    name = f"{site.name}.product{number}"
    return Op(
        name=name,
        kind="attention_product",
        block=site.block,
        branch="attention",
        order=order,
        m=m,
        k=k,
        n=n,
        heads=heads,
        time_steps=steps,
        a_class="binary",
        b_class="binary" if number == 1 else "integer",
        a_size=a.numel(),
        a_nonzeros=whole(events),
        a_events=whole(events),
        b_size=b.numel(),
        b_nonzeros=int(torch.count_nonzero(b)),
        b_events=whole(b),
        events_per_step=per_step(events),
        dense_macs=steps * batch * heads * m * k * n,
        fanout_sops=whole(events) * n,
        effective_sops=whole(coincidences),
        effective_sops_per_step=per_step(coincidences),
        effective_sops_std=deviation(coincidences),
        real_macs=0,
        producers=(site.source_name,)
        if number == 1
        else (site.source_name, f"{site.name}.product1"),
        **behind,
    )
