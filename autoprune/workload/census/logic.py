"""Count what attention without matrix products does to spikes: mask them, and add them up.

Spike-driven Transformer and QKFormer multiply spikes entry by entry and sum them over tokens or
channels: O(N d) operations. A mask whose result is summed is one operation per coincidence, both
operands nonzero; so is a mask that lets spikes pass. Sums of masked spikes are counted with the
mask.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from autoprune.workload.census.activity import activity
from autoprune.workload.census.operand import Operand, activation, second, work
from autoprune.workload.census.places import Site
from autoprune.workload.census.tiles import NO_TILES
from autoprune.workload.census.values import whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Second, Sizes

_NOTHING = Second(kind="weight", bits=1, size=0, nonzeros=0)
"""What an Op says of B where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeLogic:
    """``a * b`` of spikes, or the sum of spikes `a` where `b` is None.

    Attributes:
        at: where it stands.
        a, b: ``[T, B, ...]``, of one shape, no real numbers. Of a sum, ``[T, B, K, M]``: it is
            over K.
        b_repeats: how often `b` was repeated to have the shape of `a`.
    """

    at: Site
    a: Operand
    b: Operand | None = None
    b_repeats: int = 1


def count_logic(logic: SpikeLogic) -> Op:
    """The Op, without neurons. It multiplies nothing, so that its dense MACs are 0."""
    at, a, b = logic.at, logic.a, logic.b
    x, entries = a.x, math.prod(a.x.shape[2:])
    summed = 1 if b is not None else x.shape[2]
    spiked = a.spikes()
    passed = events = spiked.flatten(2).sum(2)
    second_operand = _NOTHING
    if b is not None:
        held = b.ones()
        passed = (spiked * held).flatten(2).sum(2)
        second_operand = second(b, whole(held.flatten(2).sum(2)), logic.b_repeats)
    rows = x if b is None else x.flatten(2).unsqueeze(2)
    tiled = NO_TILES if at.with_tiles else None
    return Op(
        name=at.name,
        block=at.block,
        branch=at.branch,
        producers=at.producers,
        kind="sum" if b is None else "masking",
        sizes=Sizes(m=entries // summed, k=summed, n=1, time_steps=len(x)),
        a=activation(a, events),
        b=second_operand,
        work=work(a, 0, whole(events), passed),
        activity=replace(activity(rows), tiles=tiled) if at.with_activity else None,
    )
