"""DSP by matrix: every matrix of a branch keeps rows and columns by their own significance.

The other reading of the abstract of Sun et al., "Toward Efficient Spiking Transformers", arXiv
2508.01992, which is met where each weight matrix is cut for itself. Inner dimensions leave as DSP
removes them (see `surgery.dsp`). Of the residual stream, whose width stays, a layer reads those
channels whose columns have the largest L1 norm, and writes those whose rows have. What it does not
write stays exactly 0: batch norm is 0 there and held so, so that neurons behind it are silent.

A network cut so computes what its parent computes when the spikes of removed inner dimensions, the
inputs of removed columns, and what batch norm gives for removed rows are multiplied by 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from autoprune.compress.part import Amount, Part
from autoprune.compress.surgery.dsp import most_significant, shrink, weights
from autoprune.compress.surgery.surgery import Subject, Surgery
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Branch, Cut
from autoprune.networks.place import Place


@final
class DSPMatrixSurgery(Surgery):
    """Cuts every branch that the part names; what is not written stays 0 in training."""

    def reshape(self, subject: Subject, part: Part) -> None:
        """Keep rows and columns of highest score, of a branch all measured before any leaves."""
        kept = part.by_place()
        for index, branches in enumerate(subject.adapter.branches(subject.network)):
            for branch in branches:
                amounts = kept.pop(str(Place(index, branch.name)), None)
                if amounts is not None:
                    branch.read_local_sizes()
                    narrow(branch, amounts)
        if kept:
            raise CompressionError(f"a plan that cuts {', '.join(kept)}; the network has none")

    @contextmanager
    def training(self, subject: Subject, part: Part) -> Iterator[None]:
        """What is not written stays 0."""
        with ExitStack() as stack:
            for parameter, writes in _held(subject.network):
                hook = partial(_only, writes)
                stack.callback(parameter.register_post_accumulate_grad_hook(hook).remove)
            yield


def _held(network: nn.Module) -> Iterator[tuple[nn.Parameter, Tensor]]:
    """What is trained of norms behind layers that do not write every channel, and those written."""
    for norm in network.modules():
        writes = getattr(norm, "writes", None)
        if isinstance(writes, Tensor):
            yield from ((p, writes) for p in norm.parameters(recurse=False) if p.requires_grad)


def narrow(
    branch: Branch, kept: Mapping[str, Amount]
) -> tuple[tuple[Tensor, ...], dict[nn.Module, Tensor]]:
    """Cut the matrices of `branch`, in place.

    Args:
        branch: before anything left.
        kept: inner dimensions per group under an empty name, outer ones by the name of a matrix;
            where a name is missing, all.

    Returns the masks of the inner dimensions, as `autoprune.compress.surgery.dsp.shrink` does, and
    of the outer ones by layer.

    Raises CompressionError where there are fewer dimensions.
    """
    written = {cut.module: cut for tie in branch.ties for cut in tie if cut.side == "in"}
    outer: dict[nn.Module, Tensor] = {}
    for matrix in branch.matrices:
        size = kept.get(matrix.name)
        if size is not None:
            outer[matrix.module] = _largest(matrix.module, int(size), matrix.module in written)
    inner = shrink(branch, int(kept.get("", branch.size)), _l1)
    for layer, mask in outer.items():
        if layer in written:
            _write(written[layer], mask)
        else:
            _read(layer, mask)
    return inner, outer


def _largest(layer: Any, kept: int, writes: bool) -> Tensor:
    """Mask of the `kept` rows or columns of largest L1 norm."""
    width = layer.weight.shape[0 if writes else 1]
    if not 0 < kept <= width:
        raise CompressionError(f"cannot keep {kept} of {width} outer dimensions")
    cut = Cut(module=layer, side="out" if writes else "in")
    return most_significant(_l1((cut,), width), 1, kept)


def _l1(tie: tuple[Cut, ...], dimensions: int) -> Tensor:
    return weights(tie, dimensions).abs().sum(1)


def _axis(layer: Any) -> int:
    """The axis of the channels, from the last."""
    return 1 - layer.weight.ndim


def _read(layer: Any, mask: Tensor) -> None:
    """Let a layer read the channels in `mask` alone."""
    layer.weight = nn.Parameter(layer.weight.detach()[:, mask].clone())
    layer.register_buffer("reads", mask.nonzero().flatten())
    layer.register_forward_pre_hook(partial(_gather, _axis(layer)))


def _gather(axis: int, layer: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (given[0].index_select(axis, layer.reads),)


def _write(cut: Cut, mask: Tensor) -> None:
    """Let a layer compute the channels in `mask` alone, and its batch norm give 0 for the rest."""
    layer, norm = cut.module, cut.norm
    if norm is None:
        raise CompressionError("rows of a layer without batch norm behind it are not removed")
    layer.weight = nn.Parameter(layer.weight.detach()[mask].clone())
    if layer.bias is not None:
        layer.bias = nn.Parameter(layer.bias.detach()[mask].clone())
    for name in ("weight", "bias", "running_mean"):
        tensor = getattr(norm, name)
        if tensor is not None:
            tensor.data[~mask] = 0.0
    norm.register_buffer("writes", mask.nonzero().flatten())
    norm.register_forward_pre_hook(partial(_scatter, _axis(layer)))


def _scatter(axis: int, norm: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    x = given[0]
    shape = list(x.shape)
    shape[axis] = norm.num_features
    return (x.new_zeros(shape).index_copy(axis, norm.writes, x),)


def _only(kept: Tensor, parameter: Tensor) -> None:
    if parameter.grad is not None:
        rest = torch.ones_like(parameter, dtype=torch.bool)
        rest[kept] = False
        parameter.grad[rest] = 0.0
