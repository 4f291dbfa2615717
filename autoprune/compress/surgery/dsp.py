"""DSP: remove whole inner dimensions of a branch, so that its matrices become smaller.

Structured pruning of Sun et al., "Toward Efficient Spiking Transformers", arXiv 2508.01992, in
this project's reading: its abstract gives no formulas. The residual width stays. Dimensions are
ranked by the L1 norm of their weights unless a study names another of
`autoprune.compress.surgery.criteria`; rates are those of the parent. A network whose dimensions
were removed computes what its parent computes when the spikes of those dimensions are multiplied
by 0. Kept 0 removes the branch: it contributes exactly 0 and its parameters are gone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import final

import torch
from torch import Tensor, nn

from autoprune.compress.part import Part
from autoprune.compress.surgery.criteria import Criterion
from autoprune.compress.surgery.rates import Rates, output_rates
from autoprune.compress.surgery.surgery import Subject, Surgery
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Branch, Cut
from autoprune.networks.place import Place

Significance = Callable[[tuple[Cut, ...], int], Tensor]
"""The scores [dimensions] of the tied dimensions of a branch; the highest stay."""


@final
class DSPSurgery(Surgery):
    """Shrinks every branch that the part names; which dimensions stay, the option
    ``dsp_score`` says.
    """

    def reshape(self, subject: Subject, part: Part) -> None:
        """Keep the dimensions of highest score, all measured before the first leaves."""
        blocks = subject.adapter.branches(subject.network)
        kept = dict(part.amounts)
        score = significance(subject, [b for branches in blocks for b in branches])
        for index, branches in enumerate(blocks):
            for branch in branches:
                size = kept.pop(str(Place(index, branch.name)), None)
                if size is not None:
                    branch.read_local_sizes()
                    shrink(branch, int(size), score)
        if kept:
            raise CompressionError(f"a plan that shrinks {', '.join(kept)}; the network has none")


def significance(subject: Subject, branches: Sequence[Branch]) -> Significance:
    """The scores that the study names; without samples every rate is 1."""
    criterion = Criterion.named(subject.options["dsp_score"])
    cuts = [cut for branch in branches for tie in branch.ties for cut in tie]
    axes = {cut.neuron: cut.axis for cut in cuts if cut.neuron is not None}
    rates: Rates = {}
    if criterion.reads_rates and subject.samples is not None:
        rates = output_rates(subject.network, axes, subject.samples)

    def score(tie: tuple[Cut, ...], dimensions: int) -> Tensor:
        held = weights(tie, dimensions)
        rate = held.new_zeros(dimensions) if rates else held.new_ones(dimensions)
        for cut in tie:
            if cut.neuron is not None and cut.neuron in rates:
                rate += rates[cut.neuron][cut.offset : cut.offset + dimensions]
        return criterion.scores(held, rate, rate.shape)

    return score


def weights(tie: tuple[Cut, ...], dimensions: int) -> Tensor:
    """The weights [dimensions, n] of each tied dimension in all of its layers, in float64."""
    found = []
    for cut in tie:
        weight = cut.module.weight.detach().flatten(1)
        rows = weight if cut.side == "out" else weight.T
        found.append(rows[cut.offset : cut.offset + dimensions].double())
    return torch.cat(found, 1)


def most_significant(score: Tensor, groups: int, kept: int) -> Tensor:
    """Mask [groups * size] of the `kept` dimensions of highest score in each group.

    Of equal scores the dimension that comes first is kept.
    """
    by_group = score.reshape(groups, -1)
    order = by_group.argsort(dim=1, descending=True, stable=True)[:, :kept]
    return torch.zeros_like(by_group, dtype=torch.bool).scatter_(1, order, True).flatten()


def shrink(branch: Branch, kept: int, score: Significance) -> tuple[Tensor, ...]:
    """Keep the `kept` most significant dimensions per group of `branch`, in place.

    Returns the mask of kept dimensions of each tie, [groups * size]; empty where the whole
    branch was removed. The caller invalidates spikingjelly's list of modules to reset.

    Raises CompressionError where the branch does not have as many dimensions, or none that can
    be removed.
    """
    if branch.fixed and kept != branch.size:
        raise CompressionError(f"{branch.name}: cannot keep {kept} dimensions: {branch.fixed}")
    if not 0 <= kept <= branch.size:
        raise CompressionError(
            f"{branch.name}: cannot keep {kept} of {branch.size} dimensions per group"
        )
    if kept == 0:
        setattr(branch.owner, branch.attribute, branch.stand_in())
        return ()
    dimensions = branch.groups * branch.size
    masks = tuple(
        most_significant(score(tie, dimensions), branch.groups, kept) for tie in branch.ties
    )
    if kept < branch.size:
        _slice_layers(branch, masks)
    return masks


def _slice_layers(branch: Branch, masks: tuple[Tensor, ...]) -> None:
    """Cut every layer once per side: a fused layer holds several ties side by side."""
    channels: dict[tuple[nn.Module, str], Tensor] = {}
    norms: dict[nn.Module, nn.Module] = {}
    parts: dict[tuple[nn.Module, str], list[tuple[Cut, Tensor]]] = defaultdict(list)
    for tie, mask in zip(branch.ties, masks, strict=True):
        for cut in tie:
            parts[cut.module, cut.side].append((cut, mask))
            if cut.norm is not None:
                norms[cut.module] = cut.norm
    for (module, side), cuts in parts.items():
        width = module.weight.shape[0 if side == "out" else 1]  # type: ignore[index]
        keep = torch.ones(int(width), dtype=torch.bool, device=cuts[0][1].device)
        for cut, mask in cuts:
            keep[cut.offset : cut.offset + mask.numel()] = mask
        channels[module, side] = keep
    for (module, side), keep in channels.items():
        _slice_layer(module, side, keep)
        if side == "out" and module in norms:
            _slice_norm(norms[module], keep)


def _slice_layer(module: nn.Module, side: str, keep: Tensor) -> None:
    weight = module.weight.detach()  # type: ignore[operator]
    weight = weight[keep] if side == "out" else weight[:, keep]
    module.weight = nn.Parameter(weight.clone())
    if side == "out" and module.bias is not None:
        module.bias = nn.Parameter(module.bias.detach()[keep].clone())  # type: ignore[operator]
    count = int(keep.sum())
    names = {"out": ("out_channels", "out_features"), "in": ("in_channels", "in_features")}[side]
    for name in names:
        if hasattr(module, name):
            setattr(module, name, count)


def _slice_norm(norm: nn.Module, keep: Tensor) -> None:
    norm.num_features = int(keep.sum())  # type: ignore[assignment]
    for name in ("weight", "bias"):
        if getattr(norm, name) is not None:  # affine = False
            setattr(norm, name, nn.Parameter(getattr(norm, name).detach()[keep].clone()))
    for name in ("running_mean", "running_var"):
        if getattr(norm, name) is not None:  # track_running_stats = False
            setattr(norm, name, getattr(norm, name)[keep].clone())
