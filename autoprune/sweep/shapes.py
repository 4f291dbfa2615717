"""What the shapes of a compressed network alone decide on a machine, before it is trained.

The network is counted as it was compressed, on the samples on which trials are counted. What a host
does of it is a matter of shapes, and so are its neurons and the bits of dense weights. How many
weights rounding makes zero is not, nor how far spikes add up, nor what a layer reads that is silent
now: of memory only the least is known.
"""

from __future__ import annotations

from dataclasses import replace

from autoprune.cost.division import divide
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.workload.op import Op
from autoprune.workload.parts import Second
from autoprune.workload.workload import Workload

_UNROUNDED = 32


def known_share(model: CostModel, workload: Workload, *, most: bool) -> float | None:
    """The share of dense MACs that a host does; None where spikes decide that.

    Args:
        model: the machine.
        workload: of the compressed network.
        most: whether the least that it may come to is wanted, not the most.
    """
    if model.machine.capabilities.integer_spike == "host":
        return None
    if not most and any(_is_silent(op) for op in workload.ops):
        return None
    return float(divide(model, Ops.of([workload])).host_share[0])


def least_memory_kib(model: CostModel, workload: Workload, *, rounded: bool) -> float:
    """The least memory that the network may come to.

    Args:
        model: the machine.
        workload: of the compressed network.
        rounded: whether rounding makes more weights zero.
    """
    rounded = rounded or model.machine.weight_bits < _UNROUNDED
    hosts = model.machine.capabilities.real_input == "host"
    ops = tuple(_least(op, rounded) for op in workload.ops if not (hosts and _is_silent(op)))
    return float(divide(model, Ops.of([replace(workload, ops=ops)])).memory_kib[0])


def _is_silent(op: Op) -> bool:
    """Whether nothing tells if an operation will read spikes or real numbers."""
    return op.a.size > 0 and op.a.nonzeros == 0


def _least(op: Op, rounded: bool) -> Op:
    """The operation with the narrowest membranes, and no more weights than are certain to be."""
    a = op.a if op.a.kind == "real" else replace(op.a, bits=1)
    work = replace(
        op.work, effective_sops=0, effective_sops_per_step=(0,) * len(op.a.events_per_step)
    )
    if not rounded or op.b.kind != "weight":
        return replace(op, a=a, work=work)
    none = Second(
        kind="weight",
        bits=op.b.bits,
        size=op.b.size,
        nonzeros=0,
        max_of_2=0,
        max_of_4=0,
        max_of_8=0,
    )
    return replace(op, a=a, work=work, b=none)
