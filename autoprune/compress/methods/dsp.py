"""DSP: inner dimensions of a branch leave with their rows and columns; see `surgery.dsp`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, final

from autoprune.compress.effort import Effort
from autoprune.compress.method import Given, Left, Method
from autoprune.compress.option import Option
from autoprune.compress.part import Amount, Part, key_of
from autoprune.compress.setting import Setting
from autoprune.errors import InputError
from autoprune.networks.place import Place
from autoprune.networks.shape import BlockShape, BranchShape

if TYPE_CHECKING:
    from autoprune.compress.surgery.dsp import DSPSurgery

DSP_NAME = "dsp"


@final
class DSP(Method):
    """Kept inner dimensions per group and branch; none removes the branch.

    A part holds their number by branch.
    """

    name: ClassVar[str] = DSP_NAME
    stage = "dimensions"
    legend = "- removed, 12/16 dimensions kept"
    settings = (
        Setting(
            name=DSP_NAME,
            kinds=("branch",),
            means="share of the inner dimensions that are kept, 0 to 1; 0 removes the branch.",
            neutral=1.0,
            rises=(1, 1),
            dimensions=True,
            removes=0.0,
        ),
    )
    options = (
        Option(
            name="dsp_score",
            means=(
                "what dimensions are ranked by, the highest stay: `l1` of their weights, "
                "`activity` of their neurons, `l1_activity`, both, or `module:function`."
            ),
            default="l1",
            words=("l1", "activity", "l1_activity"),
            function=True,
        ),
    )

    def part(self, given: Given, before: Left, effort: Effort) -> Part:
        """Shares become the nearest integers, halves upwards."""
        amounts = []
        for place, branch in before.shape.branches():
            if not branch.fixed:
                kept = math.floor(given.number(place, DSP_NAME) * branch.size + 0.5)
                if kept != branch.size:
                    amounts.append((key_of(place), kept))
        return Part.of(self.name, amounts)

    def left(self, part: Part, before: Left) -> Left:
        """The branches with the dimensions that are kept."""
        if not part.amounts:
            return before
        kept = dict(part.amounts)

        def shrunk(place: Place, branch: BranchShape) -> BranchShape:
            size = kept.get(str(place))
            return branch if size is None else branch.resized(int(size))

        blocks = tuple(
            BlockShape(branches=tuple(shrunk(Place(i, b.name), b) for b in block.branches))
            for i, block in enumerate(before.shape.blocks)
        )
        return Left(replace(before.shape, blocks=blocks), before.zeros)

    def words(self, amounts: Mapping[str, Amount], place: Place, before: Left) -> str:
        """Such as ``4/8``, or ``-`` where the branch is removed."""
        kept = amounts[""]
        return f"{kept}/{before.branch(place).size}" if kept else "-"

    def check(self, part: Part) -> None:
        """InputError unless all are numbers of dimensions."""
        for key, kept in part.amounts:
            if type(kept) is not int or kept < 0:
                raise InputError(f"part {self.name}", f"{key} = {kept!r}", "a whole number from 0")

    def surgery(self) -> DSPSurgery:
        """See `autoprune.compress.surgery.dsp`."""
        from autoprune.compress.surgery.dsp import DSPSurgery

        return DSPSurgery()
