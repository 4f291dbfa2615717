"""Count what attention without matrix products does to spikes: mask them, and add them up.

Spike-driven Transformer and QKFormer multiply spikes entry by entry and sum them over tokens or
channels: O(N d) operations. A mask whose result is summed is one operation per coincidence, both
operands nonzero; so is a mask that lets spikes pass. Sums of masked spikes are counted with the
mask. None of it multiplies, so that its dense MACs are 0.
"""

from __future__ import annotations

import math

from autoprune.workload.census.activity import asked
from autoprune.workload.census.operand import Operand, activation, second, work
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Second, Sizes

_NOTHING = Second(kind="weight", bits=1, size=0, nonzeros=0)
"""What an Op says of B where there is none."""


def count_sum(at: Site, a: Operand) -> Op:
    """The Op of a sum of spikes ``a = [T, B, K, M]`` over K, without neurons."""
    events = a.spikes().flatten(2).sum(2)
    k, m = a.x.shape[2:]
    return at.op(
        kind="sum",
        sizes=Sizes(m=m, k=k, n=1, time_steps=len(a.x)),
        a=activation(a, events),
        b=_NOTHING,
        work=work(a, 0, whole(events), events),
        activity=asked(at, a.x, ()),
    )


def count_mask(at: Site, a: Operand, b: Operand, repeats: int = 1) -> Op:
    """The Op of ``a * b`` of spikes of one shape [T, B, ...], without neurons.

    `b` was repeated so often to have the shape of `a`.
    """
    spiked, held = a.spikes(), b.ones()
    events, passed = (x.flatten(2).sum(2) for x in (spiked, spiked * held))
    return at.op(
        kind="masking",
        sizes=Sizes(m=math.prod(a.x.shape[2:]), k=1, n=1, time_steps=len(a.x)),
        a=activation(a, events),
        b=second(b, whole(held.flatten(2).sum(2)), repeats),
        work=work(a, 0, whole(events), passed),
        activity=asked(at, a.x.flatten(2).unsqueeze(2), ()),
    )
