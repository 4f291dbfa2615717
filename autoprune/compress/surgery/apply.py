"""compress: a copy of the parent on which a whole plan was carried out."""

from __future__ import annotations

import copy
from dataclasses import dataclass

from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.compress.plan import Plan
from autoprune.compress.surgery import dsp, l1p, slif
from autoprune.compress.surgery.criteria import Criterion, Significance, l1, significance
from autoprune.compress.surgery.l1p import Target
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Matrix, ModelAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """How DSP chooses dimensions: a criterion by name, and inputs to measure activity on."""

    criterion: Criterion
    calibration: Tensor


def compress(
    parent: nn.Module, plan: Plan, adapter: ModelAdapter, ranking: Ranking | None = None
) -> nn.Module:
    """DSP, then sLIF, then L1P on a copy of `parent`; the parent stays as it is.

    Without a ranking DSP goes by the L1 norm of the weights.

    Of a neutral plan the result equals the parent bit for bit. Batch norm is not re-estimated
    and nothing is trained here.

    Raises CompressionError where the plan does not fit the network.
    """
    model = reshape(parent, plan, adapter, ranking)
    for target in targets(model, plan, adapter):
        l1p.zero_smallest(target)
    return model


def reshape(
    parent: nn.Module, plan: Plan, adapter: ModelAdapter, ranking: Ranking | None = None
) -> nn.Module:
    """Everything of `compress` but L1P, which may also be done step by step while training."""
    functional.reset_net(parent)
    model = copy.deepcopy(parent)
    before = adapter.branches(model)
    if len(before) != len(plan.blocks):
        raise CompressionError(f"a plan of {len(plan.blocks)} blocks for {len(before)} blocks")
    score: Significance = l1
    if ranking is not None:
        every = [branch for branches in before for branch in branches]
        score = significance(ranking.criterion, model, every, ranking.calibration)
    for branches, block_plan in zip(before, plan.blocks, strict=True):
        for branch, branch_plan in zip(branches, block_plan.branches, strict=True):
            dsp.read_local_sizes(branch)
            dsp.shrink(branch, branch_plan.kept, score)
    for branches, block_plan in zip(adapter.branches(model), plan.blocks, strict=True):
        for branch in branches:
            slif.swap(branch.neurons, block_plan.neuron)
    adapter.set_time_steps(model, plan.effort.time_steps)
    functional.invalidate_reset_cache(model)
    return model


def targets(model: nn.Module, plan: Plan, adapter: ModelAdapter) -> list[Target]:
    """What L1P has to do on a reshaped network: per matrix, per block, of all blocks."""
    blocks = adapter.branches(model)
    found = [Target(matrices=tuple(matrices(model, adapter)), zeros=plan.zeros)]
    for branches, block_plan in zip(blocks, plan.blocks, strict=True):
        inside = tuple(matrix for branch in branches for matrix in branch.matrices)
        found.append(Target(matrices=inside, zeros=block_plan.zeros))
        for branch, branch_plan in zip(branches, block_plan.branches, strict=True):
            zeros = dict(branch_plan.zeros)
            found += [Target(matrices=(m,), zeros=zeros.get(m.name, 0)) for m in branch.matrices]
    outside = dict(plan.outside)
    for matrix in (matrix for part in adapter.outside(model) for matrix in part):
        found.append(Target(matrices=(matrix,), zeros=outside.pop(matrix.name, 0)))
    if outside:
        raise CompressionError(f"zeros in {', '.join(outside)}, which the network does not have")
    return [target for target in found if target.zeros]


def matrices(model: nn.Module, adapter: ModelAdapter) -> list[Matrix]:
    """The weight matrices of all blocks that are left."""
    return [
        matrix
        for branches in adapter.branches(model)
        for branch in branches
        for matrix in branch.matrices
    ]
