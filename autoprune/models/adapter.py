"""ModelAdapter: the interface by which a family of networks shows its branches and operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor, nn

from autoprune.shape import BlockShape, BranchShape, MatrixShape, NetworkShape


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A weight matrix: `rows` of the first axis of `module.weight`.

    Attributes:
        name: as in `autoprune.shape.MatrixShape`.
        module: a Linear, Conv1d or 1x1 Conv2d.
        rows: the output channels that belong to the matrix; fused layers hold several matrices.
    """

    name: str
    module: nn.Linear | nn.Conv1d | nn.Conv2d
    rows: slice

    @property
    def weight(self) -> Tensor:
        """The weights as [out, in]; a view, so that writing to it writes to the module."""
        return self.module.weight.data[self.rows].flatten(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where the inner dimensions of a branch lie in one layer.

    Dimension u is channel ``offset + u`` of the layer's output or input. With an output channel
    go its bias and its channel of the batch norm; `neuron` emits it, as [T, B, channels, ...].
    """

    module: nn.Linear | nn.Conv1d | nn.Conv2d
    side: Literal["out", "in"]
    offset: int = 0
    norm: nn.Module | None = None
    neuron: nn.Module | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronSite:
    """Neurons of one layer: attribute `name` of `owner`.

    Attributes:
        channels: shape of a per-channel parameter, broadcastable to the neurons' input without
            its time axis.
    """

    owner: nn.Module
    name: str
    channels: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch of a block as surgery sees it: attribute `attribute` of `owner`.

    Attributes:
        name: ``attention``, ``mlp`` or ``mixer``.
        groups, size: as in `autoprune.shape.BranchShape`; size 0 once the branch is removed.
        ties: each a set of cuts whose dimensions leave together; every tie keeps as many
            dimensions per group as the others, but chooses its own.
        matrices: what L1P thins.
        neurons: what sLIF replaces.
    """

    name: str
    groups: int
    size: int
    ties: tuple[tuple[Cut, ...], ...]
    matrices: tuple[Matrix, ...]
    neurons: tuple[NeuronSite, ...]
    owner: nn.Module
    attribute: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Synapses:
    """A layer that multiplies an activation by static weights, as the census sees it.

    Attributes:
        name: name of the operation. block, branch, producers: as in `autoprune.workload.Op`.
        module: the Linear, Conv1d or Conv2d. norm: the batch norm behind it. neuron: the neurons
            behind that; None where there is none.
        repeats: time steps that the layer's batch axis holds.
        real_input: whether the layer reads real numbers by construction, pixels or means; else
            the class of its input is read off the data.
    """

    name: str
    block: int | None
    branch: str
    module: nn.Linear | nn.Conv1d | nn.Conv2d
    norm: nn.Module | None = None
    neuron: nn.Module | None = None
    producers: tuple[str, ...] = ()
    repeats: int
    real_input: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A spiking self-attention whose q, k and v leave one neuron layer as [T, B, 3 h d, L].

    Attributes:
        name, block: of the operations. source: the neurons that emit q, k and v.
        source_name: the operation that drives them. heads: h.
        neuron: the neurons behind the second product.
    """

    name: str
    block: int
    source: nn.Module
    source_name: str
    heads: int
    neuron: nn.Module


class Removed(nn.Module):
    """What stands in place of a removed branch: contributes exactly 0."""

    def forward(self, x_seq: Tensor) -> Tensor:
        """A scalar 0 of the dtype and device of `x_seq`."""
        return torch.zeros((), dtype=x_seq.dtype, device=x_seq.device)


class ModelAdapter(ABC):
    """What autoprune has to know about a family of networks."""

    @abstractmethod
    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        """The branches of every block, removed ones included."""

    @abstractmethod
    def operations(self, model: nn.Module) -> tuple[Synapses | Attention, ...]:
        """Every layer and attention that is left, in the order of execution."""

    @abstractmethod
    def set_time_steps(self, model: nn.Module, time_steps: int) -> None:
        """Let `model` run for `time_steps` steps per inference."""

    @final
    def shape(self, model: nn.Module) -> NetworkShape:
        """What `model` offers to compression."""
        return NetworkShape(
            blocks=tuple(
                BlockShape(branches=tuple(_branch_shape(branch) for branch in branches))
                for branches in self.branches(model)
            )
        )


def _branch_shape(branch: Branch) -> BranchShape:
    dimensions = max(1, branch.groups * branch.size)
    return BranchShape(
        name=branch.name,
        groups=branch.groups,
        size=branch.size,
        matrices=tuple(
            MatrixShape(name=m.name, weights_per_dimension=m.weight.numel() // dimensions)
            for m in branch.matrices
        ),
    )
