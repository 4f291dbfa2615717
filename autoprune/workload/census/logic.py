"""Count what attention without matrix products does to spikes: mask them, and add them up.

Spike-driven Transformer and QKFormer multiply spikes entry by entry and sum them over tokens or
channels: O(N d) operations. A mask whose result is summed is one operation per coincidence, both
operands nonzero; so is a mask that lets spikes pass. Sums of masked spikes are counted with the
mask.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from autoprune.workload.census.activity import activity
from autoprune.workload.census.values import (
    BINARY,
    Values,
    deviation,
    is_one_bit,
    ones,
    per_step,
    spikes,
    whole,
)
from autoprune.workload.op import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeLogic:
    """``a * b`` of spikes, or the sum of spikes `a` where `b` is None.

    Attributes:
        name, block, branch, producers: as in `autoprune.workload.op.Op`.
        a, b: ``[T, B, ...]``, of one shape. Of a sum, ``[T, B, K, M]``: it is over K.
        a_values, b_values: what they hold; no real numbers.
        b_repeats: how often `b` was repeated to have the shape of `a`.
        with_activity: whether the figures of `autoprune.workload.op.Activity` are taken.
    """

    name: str
    block: int | None
    branch: str
    producers: tuple[str, ...]
    a: Tensor
    a_values: Values
    b: Tensor | None = None
    b_values: Values = BINARY
    b_repeats: int = 1
    with_activity: bool = True


def count_logic(logic: SpikeLogic) -> Op:
    """The Op, without neurons. It multiplies nothing, so that its dense MACs are 0."""
    a, a_values = logic.a, logic.a_values
    steps, entries = a.shape[0], math.prod(a.shape[2:])
    summed = 1 if logic.b is not None else a.shape[2]
    spiked = spikes(a, a_values)
    events = spiked.flatten(2).sum(2)
    nonzeros = per_step(events if is_one_bit(a_values) else ones(a, a_values).flatten(2).sum(2))
    passed = events
    if logic.b is not None:
        passed = (spiked * ones(logic.b, logic.b_values)).flatten(2).sum(2)
    rows = a if logic.b is None else a.flatten(2).unsqueeze(2)
    return Op(
        name=logic.name,
        kind="sum" if logic.b is None else "masking",
        block=logic.block,
        branch=logic.branch,
        m=entries // summed,
        k=summed,
        n=1,
        time_steps=steps,
        a_class=a_values.kind,
        a_bits=a_values.bits,
        a_size=a.numel(),
        a_nonzeros=sum(nonzeros),
        a_events=whole(events),
        **_second(logic),
        events_per_step=per_step(events),
        nonzeros_per_step=nonzeros,
        a_events_std=deviation(events),
        dense_macs=0,
        fanout_sops=whole(events),
        effective_sops=whole(passed),
        effective_sops_per_step=per_step(passed),
        effective_sops_std=deviation(passed),
        real_macs=0,
        producers=logic.producers,
        activity=activity(rows) if logic.with_activity else None,
    )


def _second(logic: SpikeLogic) -> dict[str, Any]:
    """What an Op says of B, which a sum does not have."""
    b, values = logic.b, logic.b_values
    if b is None:
        return {"b_class": "weight", "b_bits": 1, "b_size": 0, "b_nonzeros": 0}
    return {
        "b_class": values.kind,
        "b_bits": values.bits,
        "b_size": b.numel() // logic.b_repeats,
        "b_nonzeros": whole(ones(b, values).flatten(1).sum(1)) // logic.b_repeats,
        "b_events": whole(spikes(b, values).flatten(1).sum(1)) // logic.b_repeats,
    }
