"""NetworkShape: what a network offers to compression, without the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autoprune.networks.place import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixShape:
    """A weight matrix inside a branch, the stem or the head.

    Attributes:
        name: such as ``q`` or ``fc1``; of stem and head the path of the module.
        weights_per_dimension: weights that one inner dimension of the branch has in this matrix;
            of stem and head all weights, since nothing there has dimensions to remove.
        inputs: weights of one output; 0 where they are the inner dimensions of the branch.
        narrowed: whether some of those inputs have left.
    """

    name: str
    weights_per_dimension: int
    inputs: int = 0
    narrowed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchShape:
    """A branch of a block: attention, MLP or mixer.

    Attributes:
        name: ``attention``, ``mlp`` or ``mixer``.
        groups: groups that keep the same number of dimensions: heads in attention, 1 in an MLP.
        size: inner dimensions of each group.
        matrices: the weight matrices that L1P thins and DSP shrinks.
        fixed: why DSP can remove none of its dimensions; empty where it can.
    """

    name: str
    groups: int
    size: int
    matrices: tuple[MatrixShape, ...]
    fixed: str = ""

    def weights(self, matrix: MatrixShape, kept: int) -> int:
        """Weights of `matrix` when every group keeps `kept` dimensions."""
        return matrix.weights_per_dimension * self.groups * kept

    @property
    def all_weights(self) -> int:
        """Weights of all matrices."""
        return self.groups * self.size * sum(m.weights_per_dimension for m in self.matrices)

    def resized(self, size: int) -> BranchShape:
        """The same branch with `size` inner dimensions per group."""
        # spelled out: a search makes thousands, and dataclasses.replace takes four times as long
        return BranchShape(
            name=self.name,
            groups=self.groups,
            size=size,
            matrices=self.matrices,
            fixed=self.fixed,
        )

    def inputs(self, matrix: MatrixShape) -> int:
        """Weights of one output of `matrix`."""
        return matrix.inputs or self.groups * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockShape:
    """One transformer block: its branches in the order of execution."""

    branches: tuple[BranchShape, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkShape:
    """The transformer blocks of a network in order, and the matrices before and behind them."""

    blocks: tuple[BlockShape, ...]
    stem: tuple[MatrixShape, ...] = ()
    head: tuple[MatrixShape, ...] = ()

    def branches(self) -> Iterator[tuple[Place, BranchShape]]:
        """Every branch with its place, in order."""
        return (
            (Place(index, branch.name), branch)
            for index, block in enumerate(self.blocks)
            for branch in block.branches
        )

    @property
    def block_weights(self) -> int:
        """Weights of all matrices of all blocks at full size."""
        return sum(branch.all_weights for block in self.blocks for branch in block.branches)
