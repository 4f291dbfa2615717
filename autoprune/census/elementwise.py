"""Count what attention without matrix products does to spikes: mask them, and add them up.

Spike-driven Transformer and QKFormer multiply spikes entry by entry and sum them over tokens or
channels: O(N d) operations. A mask whose result is summed is one operation per coincidence, both
operands 1; so is a mask that lets spikes pass. Sums of masked spikes are counted with the mask.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from autoprune.census.activity import bits, deviation, operand_class, per_step, whole
from autoprune.op import Op


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeLogic:
    """``a * b`` of spikes, or the sum of spikes `a` where `b` is None.

    Attributes:
        name, block, branch, producers: as in `autoprune.workload.Op`.
        steps: T.
        a, b: [T, B, ...], `b` broadcastable to `a` or the other way round.
        summed: how many entries of `a` make one of a sum.
    """

    name: str
    block: int | None
    branch: str
    producers: tuple[str, ...]
    steps: int
    a: Tensor
    b: Tensor | None = None
    summed: int = 1


def count_logic(logic: SpikeLogic) -> Op:
    """The Op, without neurons. It multiplies nothing, so that its dense MACs are 0."""
    a = logic.a if logic.b is None else logic.a.expand_as(logic.a * logic.b)
    b = torch.ones(()) if logic.b is None else logic.b.expand_as(a)
    kind: Literal["masking", "sum"] = "sum" if logic.b is None else "masking"
    steps, samples = a.shape[:2]
    entries = math.prod(a.shape[2:])
    events = a.double().reshape(steps, samples, -1).sum(2)
    nonzeros = per_step(torch.count_nonzero(a.reshape(steps, samples, -1), 2))
    passed = events if logic.b is None else (a.double() * b.double()).flatten(2).sum(2)
    return Op(
        name=logic.name,
        kind=kind,
        block=logic.block,
        branch=logic.branch,
        m=entries // logic.summed,
        k=logic.summed,
        n=1,
        time_steps=logic.steps,
        a_class=operand_class(a),
        b_class="weight" if logic.b is None else operand_class(b),
        a_bits=bits(a, operand_class(a)),
        b_bits=bits(b, operand_class(b)),
        a_size=a.numel(),
        a_nonzeros=sum(nonzeros),
        a_events=whole(events),
        b_size=0 if logic.b is None else logic.b.numel(),
        b_nonzeros=0 if logic.b is None else int(torch.count_nonzero(logic.b)),
        b_events=0 if logic.b is None else whole(logic.b.double()),
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
    )
