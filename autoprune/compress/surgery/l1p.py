"""L1P: set the weights of lowest score to zero, at once or step by step, and keep them zero.

Unstructured pruning of Sun et al., arXiv 2508.01992, in this project's reading: the score of a
weight is its magnitude unless a study names another of `autoprune.compress.surgery.criteria`, the
scope a matrix, a block or all blocks, the mask fixed afterwards. Rates are those of the network as
the methods before leave it, before it is trained. The gradual schedule is that of Zhu and Gupta,
"To Prune, or Not to Prune", arXiv 1710.01878: after the share p of fine-tuning

    zeros(p) = zeros * (1 - (1 - p / ramp)^3)  for p < ramp, zeros afterwards

with ramp = 1/2, so that the second half compensates at the final sparsity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from autoprune.compress.part import Part, key_of
from autoprune.compress.surgery.criteria import Criterion
from autoprune.compress.surgery.held import held_at_zero, masked_gradients
from autoprune.compress.surgery.rates import Rates, input_rates
from autoprune.compress.surgery.surgery import AfterStep, Subject, Surgery, matrices
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Matrix, ModelAdapter
from autoprune.networks.place import HEAD, MODEL, STEM, Place

RAMP = 0.5
"""Share of fine-tuning in which gradual pruning reaches its sparsity."""

Ranking = Callable[[Matrix], Tensor]
"""The scores [out, in] of a matrix's weights as they are now; the lowest become zero."""


@final
class L1PSurgery(Surgery):
    """Zeros at once before fine-tuning or, with ``l1p_schedule = "gradual"``, while it goes on."""

    def thin(self, subject: Subject, part: Part) -> None:
        """Set the weights of lowest score to zero, unless training does."""
        if not _is_gradual(subject):
            found = targets(subject.network, part, subject.adapter)
            ranking = ranked(subject, found)
            for target in found:
                zero_lowest(target, ranking)

    def training(self, subject: Subject, part: Part) -> AbstractContextManager[AfterStep | None]:
        """Zeros stay zero, or become more."""
        found = targets(subject.network, part, subject.adapter)
        if _is_gradual(subject):
            return gradually(found, ranked(subject, found))
        return held_at_zero([matrix for target in found for matrix in target.matrices])


def _is_gradual(subject: Subject) -> bool:
    return subject.trains and subject.options["l1p_schedule"] == "gradual"


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
    """Matrices that are thinned together: `zeros` weights, those of lowest score of them all."""

    matrices: tuple[Matrix, ...]
    zeros: int


def ranked(subject: Subject, thinned: Sequence[Target]) -> Ranking:
    """The ranking that the study names; without samples every rate is 1."""
    criterion = Criterion.named(subject.options["l1p_score"])
    layers = {matrix.module: None for target in thinned for matrix in target.matrices}
    rates: Rates = {}
    if criterion.reads_rates and subject.samples is not None and layers:
        rates = input_rates(subject.network, layers, subject.samples)

    def ranking(matrix: Matrix) -> Tensor:
        weight = matrix.weight
        rate = weight.new_ones(1, 1)
        if matrix.module in rates:
            rate = _by_weight(rates[matrix.module], matrix).to(weight.dtype)
        return criterion.scores(weight, rate.expand(-1, weight.shape[1]), weight.shape)

    return ranking


def _by_weight(rates: Tensor, matrix: Matrix) -> Tensor:
    """The rates [channels] of a layer's input as those of a matrix's weights, [1 or out, in].

    A convolution has a weight per tap of a channel; each of its groups reads channels of its own.
    """
    module = matrix.module
    groups = getattr(module, "groups", 1)
    own = rates.reshape(groups, -1).repeat_interleave(math.prod(module.weight.shape[2:]), 1)
    if groups == 1:
        return own
    return own.repeat_interleave(len(module.weight) // groups, 0)[matrix.rows]


def zero_lowest(target: Target, ranking: Ranking) -> None:
    """Set the weights of lowest score to 0, in place.

    What is zero already comes before everything else. Of equal scores the weight that comes first,
    matrix by matrix and row by row, is set to zero.

    Raises CompressionError where there are fewer weights.
    """
    weights = [matrix.weight for matrix in target.matrices]
    total = sum(weight.numel() for weight in weights)
    if not 0 <= target.zeros <= total:
        names = ", ".join(matrix.name for matrix in target.matrices)
        raise CompressionError(f"{names}: cannot zero {target.zeros} of {total} weights")
    if not target.zeros:
        return
    scores = torch.cat([ranking(matrix).flatten() for matrix in target.matrices])
    gone = torch.cat([weight.flatten() for weight in weights]) == 0
    lowest = scores.masked_fill(gone, -math.inf).argsort(stable=True)[: target.zeros]
    mask = torch.zeros(total, dtype=torch.bool, device=scores.device)
    mask[lowest] = True
    parts = mask.split([weight.numel() for weight in weights])
    for weight, part in zip(weights, parts, strict=True):
        weight.masked_fill_(part.reshape(weight.shape), 0.0)


@contextmanager
def gradually(thinned: Sequence[Target], ranking: Ranking) -> Iterator[Callable[[float], None]]:
    """While this lasts, weights become zero by the cubic schedule and stay zero.

    Yields what the training calls after every step of the optimiser with the share of steps done.
    A weight that became zero stays so; what momentum moved it by is undone.
    """
    held = [matrix for target in thinned for matrix in target.matrices]
    masks: dict[nn.Module, Tensor] = {}

    def thin(done: float) -> None:
        for module, mask in masks.items():
            module.weight.data.mul_(mask)  # type: ignore[operator]
        left = max(0.0, 1.0 - done / RAMP)
        for target in thinned:
            zeros = round(target.zeros * (1.0 - left**3))
            zero_lowest(Target(matrices=target.matrices, zeros=zeros), ranking)
        for module, mask in masks.items():
            mask.copy_(module.weight.detach() != 0)  # type: ignore[operator]

    with masked_gradients(held, masks.__setitem__):
        yield thin
