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
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from autoprune.compress.part import Part, key_of
from autoprune.compress.surgery.surgery import AfterStep, Subject, Surgery, matrices
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Matrix, ModelAdapter
from autoprune.networks.place import HEAD, MODEL, STEM, Place

RAMP = 0.5
"""Share of fine-tuning in which gradual pruning reaches its sparsity."""


@final
class L1PSurgery(Surgery):
    """Zeros at once before fine-tuning or, with ``l1p_schedule = "gradual"``, while it goes on."""

    def thin(self, subject: Subject, part: Part) -> None:
        """Set the smallest weights to zero, unless training does."""
        if not _is_gradual(subject):
            for target in targets(subject.network, part, subject.adapter):
                zero_smallest(target)

    def training(self, subject: Subject, part: Part) -> AbstractContextManager[AfterStep | None]:
        """Zeros stay zero, or become more."""
        found = targets(subject.network, part, subject.adapter)
        if _is_gradual(subject):
            return gradually(found)
        return held_at_zero([matrix for target in found for matrix in target.matrices])


def _is_gradual(subject: Subject) -> bool:
    return subject.trains and subject.options.get("l1p_schedule") == "gradual"


def targets(model: nn.Module, part: Part, adapter: ModelAdapter) -> list[Target]:
    """What there is to do on a reshaped network: of all blocks, per block, per matrix."""
    zeros = {key: int(count) for key, count in part.amounts}
    found = [(tuple(matrices(model, adapter)), key_of(MODEL))]
    for index, branches in enumerate(adapter.branches(model)):
        inside = tuple(matrix for branch in branches for matrix in branch.matrices)
        found.append((inside, key_of(Place(index))))
        for branch in branches:
            place = Place(index, branch.name)
            found += [((matrix,), key_of(place, matrix.name)) for matrix in branch.matrices]
    # By name alone: where all branches are gone, nothing says any more what is before the blocks.
    places = {name: place for place in (STEM, HEAD) for name in part.at(place)}
    for matrix in (matrix for outside in adapter.outside(model) for matrix in outside):
        found.append(((matrix,), key_of(places.get(matrix.name, STEM), matrix.name)))
    made = [Target(matrices=held, zeros=zeros.pop(key, 0)) for held, key in found]
    if zeros:
        raise CompressionError(f"zeros in {', '.join(zeros)}, which the network does not have")
    return [target for target in made if target.zeros]


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
def held_at_zero(held: Sequence[Matrix]) -> Iterator[None]:
    """While this lasts, weights of `held` that are 0 stay exactly 0 under any optimiser.

    Their gradient is multiplied by 0 before the optimiser sees it. Hence momentum and moments of
    a zero weight stay 0, and weight decay, being proportional to the weight, moves nothing.
    Nothing is added to the modules, so that copying and pickling stay as they were.
    """
    with _hooks(held, lambda weight, mask: None):
        yield


@contextmanager
def gradually(thinned: Sequence[Target]) -> Iterator[Callable[[float], None]]:
    """While this lasts, weights become zero by the cubic schedule and stay zero.

    Yields what the training calls after every step of the optimiser with the share of steps done.
    A weight that became zero is the smallest of its matrices from then on, hence never returns;
    what momentum moved it by is undone.
    """
    held = [matrix for target in thinned for matrix in target.matrices]
    masks: dict[nn.Module, Tensor] = {}

    def thin(done: float) -> None:
        for module, mask in masks.items():
            module.weight.data.mul_(mask)  # type: ignore[operator]
        left = max(0.0, 1.0 - done / RAMP)
        for target in thinned:
            zeros = round(target.zeros * (1.0 - left**3))
            zero_smallest(Target(matrices=target.matrices, zeros=zeros))
        for module, mask in masks.items():
            mask.copy_(module.weight.detach() != 0)  # type: ignore[operator]

    with _hooks(held, masks.__setitem__):
        yield thin


@contextmanager
def _hooks(held: Sequence[Matrix], note: Callable[[nn.Module, Tensor], None]) -> Iterator[None]:
    """Hooks that mask gradients by what is zero now; `note` is told of every module's mask."""
    modules = {id(matrix.module): matrix.module for matrix in held}
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
