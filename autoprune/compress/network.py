"""compress: a copy of the parent on which a whole plan was carried out."""

from __future__ import annotations

import copy

from spikingjelly.activation_based import functional
from torch import nn

from autoprune.compress import dsp, l1p, slif
from autoprune.errors import CompressionError
from autoprune.models.adapter import Matrix, ModelAdapter
from autoprune.plan import Plan


def compress(parent: nn.Module, plan: Plan, adapter: ModelAdapter) -> nn.Module:
    """DSP, then sLIF, then L1P on a copy of `parent`; the parent stays as it is.

    Of a neutral plan the result equals the parent bit for bit. Batch norm is not re-estimated
    and nothing is trained here.

    Raises CompressionError where the plan does not fit the network.
    """
    functional.reset_net(parent)
    model = copy.deepcopy(parent)
    before = adapter.branches(model)
    if len(before) != len(plan.blocks):
        raise CompressionError(f"a plan of {len(plan.blocks)} blocks for {len(before)} blocks")
    for branches, block_plan in zip(before, plan.blocks, strict=True):
        for branch, branch_plan in zip(branches, block_plan.branches, strict=True):
            dsp.shrink(branch, branch_plan.kept)
    for branches, block_plan in zip(adapter.branches(model), plan.blocks, strict=True):
        for branch, branch_plan in zip(branches, block_plan.branches, strict=True):
            slif.swap(branch.neurons, block_plan.neuron)
            zeros = dict(branch_plan.zeros)
            for matrix in branch.matrices:
                l1p.zero_smallest(matrix, zeros.get(matrix.name, 0))
    adapter.set_time_steps(model, plan.effort.time_steps)
    functional.invalidate_reset_cache(model)
    return model


def matrices(model: nn.Module, adapter: ModelAdapter) -> list[Matrix]:
    """The weight matrices of all blocks that are left."""
    return [
        matrix
        for branches in adapter.branches(model)
        for branch in branches
        for matrix in branch.matrices
    ]
