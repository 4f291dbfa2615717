"""L1P: set the smallest weights to zero, at once or step by step, and keep them zero.

Unstructured pruning of Sun et al., arXiv 2508.01992, in this project's reading: the score of a
weight is its magnitude, the scope a matrix, a block or all blocks, the mask fixed afterwards. The
gradual schedule is that of Zhu and Gupta, "To Prune, or Not to Prune", arXiv 1710.01878: after the
share p of fine-tuning

    zeros(p) = zeros * (1 - (1 - p / ramp)^3)  for p < ramp, zeros afterwards

with ramp = 1/2, so that the second half compensates at the final sparsity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from autoprune.errors import CompressionError
from autoprune.networks.adapter import Matrix

RAMP = 0.5
"""Share of fine-tuning in which gradual pruning reaches its sparsity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Matrices that are thinned together: `zeros` weights, the smallest of them all."""

    matrices: tuple[Matrix, ...]
    zeros: int


def zero_smallest(target: Target) -> None:
    """Set the weights of smallest magnitude to 0, in place.

    Of equal magnitudes the weight that comes first, matrix by matrix and row by row, is set to
    zero.

    Raises CompressionError where there are fewer weights.
    """
    weights = [matrix.weight for matrix in target.matrices]
    total = sum(weight.numel() for weight in weights)
    if not 0 <= target.zeros <= total:
        names = ", ".join(matrix.name for matrix in target.matrices)
        raise CompressionError(f"{names}: cannot zero {target.zeros} of {total} weights")
    if not target.zeros:
        return
    magnitudes = torch.cat([weight.abs().flatten() for weight in weights])
    smallest = magnitudes.argsort(stable=True)[: target.zeros]
    mask = torch.zeros(total, dtype=torch.bool, device=magnitudes.device)
    mask[smallest] = True
    parts = mask.split([weight.numel() for weight in weights])
    for weight, part in zip(weights, parts, strict=True):
        weight.masked_fill_(part.reshape(weight.shape), 0.0)


@contextmanager
def held_at_zero(matrices: Sequence[Matrix]) -> Iterator[None]:
    """While this lasts, weights of `matrices` that are 0 stay exactly 0 under any optimiser.

    Their gradient is multiplied by 0 before the optimiser sees it. Hence momentum and moments of
    a zero weight stay 0, and weight decay, being proportional to the weight, moves nothing.
    Nothing is added to the modules, so that copying and pickling stay as they were.
    """
    with _hooks(matrices, lambda weight, mask: None):
        yield


@contextmanager
def gradually(targets: Sequence[Target]) -> Iterator[Callable[[float], None]]:
    """While this lasts, weights become zero by the cubic schedule and stay zero.

    Yields what the training calls after every step of the optimiser with the share of steps done.
    A weight that became zero is the smallest of its matrices from then on, hence never returns;
    what momentum moved it by is undone.
    """
    matrices = [matrix for target in targets for matrix in target.matrices]
    masks: dict[nn.Module, Tensor] = {}

    def thin(done: float) -> None:
        for module, mask in masks.items():
            module.weight.data.mul_(mask)  # type: ignore[operator]
        left = max(0.0, 1.0 - done / RAMP)
        for target in targets:
            zeros = round(target.zeros * (1.0 - left**3))
            zero_smallest(Target(matrices=target.matrices, zeros=zeros))
        for module, mask in masks.items():
            mask.copy_(module.weight.detach() != 0)  # type: ignore[operator]

    with _hooks(matrices, masks.__setitem__):
        yield thin


@contextmanager
def _hooks(matrices: Sequence[Matrix], note: Callable[[nn.Module, Tensor], None]) -> Iterator[None]:
    """Hooks that mask gradients by what is zero now; `note` is told of every module's mask."""
    modules = {id(matrix.module): matrix.module for matrix in matrices}
    handles = []
    for module in modules.values():
        mask = module.weight.detach() != 0
        note(module, mask)
        if not module.weight.requires_grad:  # frozen: nothing moves it
            continue
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
