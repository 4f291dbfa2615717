"""DSP by matrix: rows and columns of every matrix leave; see `surgery.dsp_matrix`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, final

from autoprune.compress.effort import Effort
from autoprune.compress.method import Given, Left, Method
from autoprune.compress.part import Amount, Part, key_of
from autoprune.compress.setting import Setting
from autoprune.errors import InputError
from autoprune.networks.place import Place
from autoprune.networks.shape import BlockShape, BranchShape, MatrixShape

if TYPE_CHECKING:
    from autoprune.compress.surgery.dsp_matrix import DSPMatrixSurgery


@final
class DSPMatrix(Method):
    """Kept inner dimensions per group of a branch, and kept outer dimensions of each matrix.

    The outer dimensions are the columns of a matrix that reads the residual stream and the rows of
    one that writes to it. A part holds the first by branch, the others by matrix.
    """

    name: ClassVar[str] = "dsp_matrix"
    stage = "dimensions"
    legend = "4x8 inner dimensions and channels kept"
    settings = (
        Setting(
            name="dsp_matrix",
            kinds=("branch",),
            means="share of rows and of columns that each matrix keeps, 0.01 to 1.",
            neutral=1.0,
            low=0.01,
            rises=(1, 1),
            dimensions=True,
        ),
    )

    def part(self, given: Given, before: Left, effort: Effort) -> Part:
        """Shares become the nearest integers from 1, halves upwards."""
        amounts = []
        for place, branch in before.shape.branches():
            if not branch.fixed and branch.size:
                share = given.number(place, self.name)
                sizes = {key_of(place): branch.size} | {
                    key_of(place, m.name): m.weights_per_dimension for m in branch.matrices
                }
                kept = {key: max(1, math.floor(share * size + 0.5)) for key, size in sizes.items()}
                amounts += [(key, size) for key, size in kept.items() if size != sizes[key]]
        return Part.of(self.name, amounts)

    def left(self, part: Part, before: Left) -> Left:
        """The branches with the dimensions that are kept."""
        kept = part.by_place()

        def matrix(known: MatrixShape, size: int | None) -> MatrixShape:
            if size is None:
                return known
            inputs = size if known.inputs else 0
            return replace(known, weights_per_dimension=size, inputs=inputs, narrowed=inputs > 0)

        def shrunk(place: Place, branch: BranchShape) -> BranchShape:
            own = {name: int(size) for name, size in kept.get(str(place), {}).items()}
            matrices = tuple(matrix(m, own.get(m.name)) for m in branch.matrices)
            return replace(branch, size=own.get("", branch.size), matrices=matrices)

        blocks = tuple(
            BlockShape(branches=tuple(shrunk(Place(i, b.name), b) for b in block.branches))
            for i, block in enumerate(before.shape.blocks)
        )
        return Left(replace(before.shape, blocks=blocks), before.zeros)

    def words(self, amounts: Mapping[str, Amount], place: Place, before: Left) -> str:
        """Such as `` 4x6``: inner dimensions per group, outer ones of the matrix with the least."""
        branch = before.branch(place)
        outer = min(amounts.get(m.name, m.weights_per_dimension) for m in branch.matrices)
        return f" {amounts.get('', branch.size)}x{outer}"

    def check(self, part: Part) -> None:
        """InputError unless all are numbers of dimensions."""
        for key, kept in part.amounts:
            if type(kept) is not int or kept < 1:
                raise InputError(f"part {self.name}", f"{key} = {kept!r}", "a whole number from 1")

    def surgery(self) -> DSPMatrixSurgery:
        """See `autoprune.compress.surgery.dsp_matrix`."""
        from autoprune.compress.surgery.dsp_matrix import DSPMatrixSurgery

        return DSPMatrixSurgery()
