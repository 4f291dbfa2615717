"""ModelAdapter: the interface by which a network shows its branches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

from spikingjelly.activation_based.neuron import BaseNode, SimpleBaseNode
from torch import Tensor, nn

from autoprune.errors import CompressionError
from autoprune.networks.inputs import time_axis_of
from autoprune.networks.place import Place
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape, NetworkShape

Weighted = nn.Linear | nn.Conv1d | nn.Conv2d
Neuron = BaseNode | SimpleBaseNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A weight matrix: `rows` of the first axis of `module.weight`.

    Attributes:
        name: as in `autoprune.networks.shape.MatrixShape`.
        module: the layer; fused layers hold several matrices.
        rows: the output channels that belong to the matrix.
    """

    name: str
    module: Weighted
    rows: slice = field(default_factory=lambda: slice(None))

    @property
    def weight(self) -> Tensor:
        """The weights as [out, in]; a view, so that writing to it writes to the module."""
        return self.module.weight.data[self.rows].flatten(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where the inner dimensions of a branch lie in one layer.

    Dimension u is channel ``offset + u`` of the layer's output or input. With an output channel
    go its bias and its channel of the batch norm; `neuron` emits it, as axis `axis` of [T, B, ...].
    `norm` stands behind the layer, also where the dimensions are its input.
    """

    module: Weighted
    side: Literal["out", "in"]
    offset: int = 0
    norm: nn.Module | None = None
    neuron: nn.Module | None = None

    @property
    def axis(self) -> int:
        """The axis of the channels: a linear layer's are the last, a convolution's the third."""
        return -1 if isinstance(self.module, nn.Linear) else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronSite:
    """Neurons of one layer: attribute `name` of `owner`.

    Attributes:
        channels: shape of a per-channel parameter, broadcastable to the neurons' input without
            its time axis.
        layer: the layer whose outputs the neurons take; None behind no projection.
    """

    owner: nn.Module
    name: str
    channels: tuple[int, ...]
    layer: Weighted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch of a block as surgery sees it: attribute `attribute` of `owner`.

    Attributes:
        name: ``attention``, ``mlp`` or ``mixer``.
        groups, size, fixed: as in `autoprune.networks.shape.BranchShape`; size 0 once it is gone.
        ties: each a set of cuts whose dimensions leave together; every tie keeps as many
            dimensions per group as the others, but chooses its own.
        matrices: what L1P thins.
        neurons: what sLIF replaces.
        stand_in: what takes the branch's place when it is removed.
        local: a subclass of the branch's class, with the same attributes, whose forward pass
            reads the sizes that are left instead of those that it was built with.
    """

    name: str
    groups: int = 1
    size: int = 0
    fixed: str = ""
    ties: tuple[tuple[Cut, ...], ...] = ()
    matrices: tuple[Matrix, ...] = ()
    neurons: tuple[NeuronSite, ...] = ()
    owner: nn.Module
    attribute: str
    stand_in: type[nn.Module]
    local: type[nn.Module] | None = None

    def read_local_sizes(self) -> None:
        """Give the branch the forward pass that reads the sizes that are left, in place.

        Its class is exchanged for `local`: parameters, names and neurons stay what they are. A new
        module would be built from sizes that the branch no longer has.
        """
        module = getattr(self.owner, self.attribute)
        if self.local is not None and type(module) is not self.local:
            module.__class__ = self.local


@dataclass(frozen=True, slots=True)
class Projection:
    """A layer inside a branch, with the batch norm and the neurons behind it.

    Attributes:
        module: a `Weighted`: Linear, Conv1d or 1x1 Conv2d; in a fixed branch any Conv2d.
        norm: over its output channels. neuron: at [T, B, ...] of its output.
    """

    module: Any
    norm: nn.Module | None = None
    neuron: nn.Module | None = None

    @property
    def channels(self) -> tuple[int, ...]:
        """Shape of one parameter per channel that neurons behind it see, as in `NeuronSite`."""
        weight = self.module.weight
        channels = getattr(self.norm, "num_features", weight.shape[0])
        return (int(channels), *[1] * (weight.ndim - 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What is inside a branch, as `branch` needs to hear it.

    Attributes:
        inner: projections whose *outputs* are inner dimensions, by the name of the matrix. Names
            that share a layer divide its outputs among them, in their order.
        outer: projections whose *inputs* are inner dimensions.
        ties: names of the matrices whose dimensions leave together, separated by blanks.
        groups: heads, where every head has to keep as many dimensions as the others.
        neurons: shape of a per-channel parameter (see `NeuronSite`) for neurons that stand behind
            no projection, by their attribute, such as ``attn_lif``.
        local: as in `Branch`.
        fixed: why no dimension can be removed; then `ties` are not looked at.
    """

    inner: Mapping[str, Projection]
    outer: Mapping[str, Projection] = field(default_factory=dict)
    ties: Sequence[str] = ()
    groups: int = 1
    neurons: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    local: type[nn.Module] | None = None
    fixed: str = ""


class ModelAdapter(ABC):
    """What autoprune has to know about a network: its branches."""

    @abstractmethod
    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        """The branches of every block, removed ones included; see `autoprune.networks.branches`."""

    def patch(self, model: nn.Module) -> int:
        """Pixels of a token's side, of which the side of an image has to be a multiple."""
        return 1

    def time_steps(self, model: nn.Module) -> int:
        """T: what `set_time_steps` sets. CompressionError where the network has no such number."""
        if not isinstance(getattr(model, "T", None), int):
            raise CompressionError(f"{type(model).__name__} has no time steps in an attribute T")
        return model.T  # type: ignore[return-value]

    def set_time_steps(self, model: nn.Module, time_steps: int) -> None:
        """Let `model` show a static image for so many steps: attribute ``T`` unless overridden."""
        self.time_steps(model)
        model.T = time_steps  # type: ignore[assignment]

    def time_axis(self, model: nn.Module) -> int:
        """Where `model` takes the time of frames: 0 of [T, B, ...], 1 of [B, T, ...].

        What its attribute ``time_axis`` says, else 0, unless overridden; a study's key goes first.
        """
        return time_axis_of(model)

    @final
    def outside(self, model: nn.Module) -> tuple[tuple[Matrix, ...], tuple[Matrix, ...]]:
        """Every weight matrix that is in no branch: those before the last block, those behind.

        The order is that in which the modules were registered; a name is the module's path.
        """
        inside = {id(m.module) for b in self.branches(model) for x in b for m in x.matrices}
        stem: list[Matrix] = []
        head: list[Matrix] = []
        for name, module in model.named_modules():
            if id(module) in inside:
                stem, head = stem + head, []
            elif isinstance(module, Weighted):
                head.append(Matrix(name=name, module=module))
        return tuple(stem), tuple(head)

    @final
    def shape(self, model: nn.Module) -> NetworkShape:
        """What `model` offers to compression.

        Raises CompressionError where there is no block, or where neurons inside a branch are
        named by none: sLIF would leave them out silently.
        """
        blocks = self.branches(model)
        where = f"{type(self).__name__} on {type(model).__name__}"
        if not any(branches for branches in blocks):
            raise CompressionError(f"{where}: no blocks found")
        for index, branches in enumerate(blocks):
            for name in _unnamed_neurons(branches):
                raise CompressionError(
                    f"{where}: {Place(index)}: the neurons {name!r} belong to no branch; "
                    "name them in Inside(neurons=...)"
                )
        stem, head = self.outside(model)
        return NetworkShape(
            blocks=tuple(
                BlockShape(branches=tuple(_branch_shape(branch) for branch in branches))
                for branches in blocks
            ),
            stem=tuple(_outside_shape(matrix) for matrix in stem),
            head=tuple(_outside_shape(matrix) for matrix in head),
        )


def _size(matrix: Matrix) -> int:
    return matrix.weight.numel()


def _outside_shape(matrix: Matrix) -> MatrixShape:
    inputs = int(matrix.weight.shape[1])
    return MatrixShape(name=matrix.name, weights_per_dimension=_size(matrix), inputs=inputs)


def _branch_shape(branch: Branch) -> BranchShape:
    read = {id(cut.module) for tie in branch.ties for cut in tie if cut.side == "in"}
    dimensions = max(1, branch.groups * branch.size)
    return BranchShape(
        name=branch.name,
        groups=branch.groups,
        size=branch.size,
        fixed=branch.fixed,
        matrices=tuple(
            MatrixShape(
                name=m.name,
                weights_per_dimension=_size(m) // dimensions,
                inputs=0 if id(m.module) in read else int(m.weight.shape[1]),
            )
            for m in branch.matrices
        ),
    )


def _unnamed_neurons(branches: tuple[Branch, ...]) -> list[str]:
    named = {id(getattr(s.owner, s.name)) for branch in branches for s in branch.neurons}
    return [
        name
        for branch in branches
        for name, module in getattr(branch.owner, branch.attribute).named_modules()
        if isinstance(module, Neuron) and id(module) not in named
    ]
