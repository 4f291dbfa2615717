"""What a larger network may not gain: small workloads that grow along one axis, priced in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from autoprune.cost.costs import Costs
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.cost.sample import sample_workload
from autoprune.workload.op import Op
from autoprune.workload.workload import Workload

Sizes: TypeAlias = Sequence[float]


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that compression makes smaller.

    Attributes:
        name: of the axis, with its unit. sizes: from small to large.
        workload: the workload of a size.
    """

    name: str
    sizes: Sizes
    workload: Callable[[float], Workload]


def _bits(bits: float) -> Workload:
    """The sample with weights that were rounded."""
    whole = sample_workload(width=_WIDE)
    return replace(whole, ops=tuple(_rounded(op, int(bits)) for op in whole.ops))


def _rounded(op: Op, bits: int) -> Op:
    return replace(op, b=replace(op.b, bits=bits)) if op.b.kind == "weight" else op


_WIDE = 64

AXES = (
    Axis("time steps", (1, 2, 3, 4, 5, 8, 16), lambda n: sample_workload(steps=int(n))),
    Axis(
        "dimensions kept",
        (1, 2, 4, 7, 8, 9, 16, 17, 31, 32, 33, 64, 96, 128),
        lambda n: sample_workload(width=int(n)),
    ),
    Axis(
        "% of the weights kept",
        (1, 2.5, 10, 20, 40, 44.4, 50, 75, 80, 81, 87.5, 90, 100),
        lambda kept: sample_workload(width=_WIDE, zeros=1 - kept / 100),
    ),
    Axis("bits of a weight", (1, 2, 3, 4, 6, 8, 16, 32), _bits),
)
"""What L1P, DSP, fewer steps and rounding make smaller."""


def gained(model: CostModel, axis: Axis) -> str:
    """Where a larger network is cheaper, faster on as many chips, or smaller; else empty."""
    costs = model.price_all(Ops.of([axis.workload(size) for size in axis.sizes]))
    chips = costs.figures.get("chips")
    for what, unit, values in _figures(costs):
        for place in range(1, len(axis.sizes)):
            if unit == "µs" and chips is not None and chips[place] > chips[place - 1]:
                continue
            less, more = values[place - 1], values[place]
            if more < less:
                small, large = axis.sizes[place - 1], axis.sizes[place]
                return f"{what} at {small:g} {axis.name}: {less:g} {unit}, {large:g}: {more:g}"
    return ""


def _figures(costs: Costs) -> Iterator[tuple[str, str, list[float]]]:
    yield "energy", "pJ", [energy * 1e6 for energy in costs.energy_uj.tolist()]
    if "latency_us" in costs.figures:
        yield "latency", "µs", costs.figures["latency_us"].tolist()
    yield "memory", "KiB", costs.memory_kib.tolist()
