"""L1P: set the smallest weights of a matrix to zero, and keep them zero while it trains.

Unstructured pruning of Sun et al., arXiv 2508.01992, in this project's reading: the score of a
weight is its magnitude, the scope one matrix, the mask fixed afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from autoprune.errors import CompressionError
from autoprune.models.adapter import Matrix


def zero_smallest(matrix: Matrix, zeros: int) -> None:
    """Set the `zeros` weights of smallest magnitude to 0, in place.

    Of equal magnitudes the weight that comes first, row by row, is set to zero.

    Raises CompressionError where the matrix has fewer weights.
    """
    weight = matrix.weight
    if not 0 <= zeros <= weight.numel():
        raise CompressionError(f"{matrix.name}: cannot zero {zeros} of {weight.numel()} weights")
    smallest = weight.abs().flatten().argsort(stable=True)[:zeros]
    mask = torch.zeros(weight.numel(), dtype=torch.bool, device=weight.device)
    mask[smallest] = True
    weight.masked_fill_(mask.reshape(weight.shape), 0.0)


@contextmanager
def held_at_zero(model: nn.Module, matrices: list[Matrix]) -> Iterator[None]:
    """While this lasts, weights of `matrices` that are 0 stay exactly 0 under any optimiser.

    Their gradient is multiplied by 0 before the optimiser sees it. Hence momentum and moments of
    a zero weight stay 0, and weight decay, being proportional to the weight, moves nothing.
    Nothing is added to the modules, so that copying and pickling stay as they were.
    """
    modules = {id(matrix.module): matrix.module for matrix in matrices}
    handles = []
    for module in modules.values():
        mask = module.weight.detach() != 0
        if not bool(mask.all()):
            handles.append(module.weight.register_post_accumulate_grad_hook(_masked(mask)))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _masked(mask: Tensor) -> Callable[[Tensor], None]:
    def hook(parameter: Tensor) -> None:
        if parameter.grad is not None:
            parameter.grad.mul_(mask)

    return hook
