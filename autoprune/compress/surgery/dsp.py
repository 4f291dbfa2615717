"""DSP: remove whole inner dimensions of a branch, so that its matrices become smaller.

Structured pruning of Sun et al., "Toward Efficient Spiking Transformers", arXiv 2508.01992, in
this project's reading: its abstract gives no formulas. The residual width stays. A network whose
dimensions were removed computes what its parent computes when the spikes of those dimensions are
multiplied by 0. Kept 0 removes the branch: it contributes exactly 0 and its parameters are gone.
"""

from __future__ import annotations

from collections import defaultdict
from typing import final

import torch
from torch import Tensor, nn

from autoprune.compress.part import Part
from autoprune.compress.surgery.criteria import Significance, l1, significance
from autoprune.compress.surgery.surgery import Subject, Surgery
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Branch, Cut
from autoprune.networks.place import Place


@final
class DSPSurgery(Surgery):
    """Shrinks every branch that the part names; which dimensions stay, the option
    ``dsp_score`` says where there are inputs to count spikes on.
    """

    def reshape(self, subject: Subject, part: Part) -> None:
        """Keep the dimensions of highest score, all measured before the first leaves."""
        blocks = subject.adapter.branches(subject.network)
        score: Significance = l1
        if subject.samples is not None:
            every = [branch for branches in blocks for branch in branches]
            name = subject.options.get("dsp_score", "l1")
            score = significance(name, subject.network, every, subject.samples)
        kept = dict(part.amounts)
        for index, branches in enumerate(blocks):
            for branch in branches:
                size = kept.pop(str(Place(index, branch.name)), None)
                if size is not None:
                    read_local_sizes(branch)
                    shrink(branch, int(size), score)
        if kept:
            raise CompressionError(f"a plan that shrinks {', '.join(kept)}; the network has none")


def most_significant(score: Tensor, groups: int, kept: int) -> Tensor:
    """Mask [groups * size] of the `kept` dimensions of highest score in each group.

    Of equal scores the dimension that comes first is kept.
    """
    by_group = score.reshape(groups, -1)
    order = by_group.argsort(dim=1, descending=True, stable=True)[:, :kept]
    return torch.zeros_like(by_group, dtype=torch.bool).scatter_(1, order, True).flatten()


def shrink(branch: Branch, kept: int, significance: Significance = l1) -> tuple[Tensor, ...]:
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
        most_significant(significance(tie, dimensions), branch.groups, kept) for tie in branch.ties
    )
    if kept < branch.size:
        _slice_layers(branch, masks)
    return masks


def read_local_sizes(branch: Branch) -> None:
    """Give the branch the forward pass that reads the sizes that are left, in place.

    Its class is exchanged for the adapter's subclass: parameters, names and neurons stay what they
    are. A new module would be built from sizes that the branch no longer has.
    """
    module = getattr(branch.owner, branch.attribute)
    if branch.local is not None and type(module) is not branch.local:
        module.__class__ = branch.local


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
