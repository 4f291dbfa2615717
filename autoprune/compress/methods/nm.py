"""N:M: of M consecutive inputs of an output N weights are kept; see `surgery.nm`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from autoprune.compress.effort import Effort
from autoprune.compress.method import Given, Left, Method, text_of
from autoprune.compress.part import Amount, Part, key_of
from autoprune.compress.setting import Setting
from autoprune.errors import InputError
from autoprune.networks.place import Place

if TYPE_CHECKING:
    from autoprune.compress.surgery.nm import NMSurgery

DENSE = "dense"


def parsed(pattern: str) -> tuple[int, int]:
    """N and M of ``N:M``."""
    n, m = pattern.split(":")
    return int(n), int(m)


def kept(inputs: int, pattern: str) -> int:
    """Weights that are kept of an output; inputs beyond the last whole group are one of their own.

    Such are left where DSP removes inputs.
    """
    n, m = parsed(pattern)
    return inputs // m * n + min(n, inputs % m)


@final
class NM(Method):
    """The largest N of M consecutive inputs in each matrix of a branch; a part holds the pattern.

    DSP comes first: the inputs are those that it leaves.
    """

    name: ClassVar[str] = "nm"
    legend = "2:4 kept of every four inputs"
    settings = (
        Setting(
            name="nm",
            kinds=("branch",),
            means="N of M consecutive inputs that each matrix keeps, such as `2:4`.",
            neutral=DENSE,
            words=(DENSE, "4:8", "2:8", "1:8", "2:4", "1:4", "1:2"),
        ),
    )

    def part(self, given: Given, before: Left, effort: Effort) -> Part:
        """The pattern by matrix.

        Raises InputError where the inputs of a matrix, of which none can leave, are no multiple
        of M.
        """
        amounts = []
        for place, branch in before.shape.branches():
            pattern = str(given.value(place, self.name))
            for matrix in branch.matrices if pattern != DENSE and branch.size else ():
                if not matrix.narrowed:
                    _check(place, matrix.inputs, pattern)
                if kept(branch.inputs(matrix), pattern) < branch.inputs(matrix):
                    amounts.append((key_of(place, matrix.name), pattern))
        return Part.of(self.name, amounts)

    def left(self, part: Part, before: Left) -> Left:
        """The same matrices, with zeros."""
        zeros = {}
        for place, branch in before.shape.branches():
            for name, pattern in part.at(place).items():
                [matrix] = (matrix for matrix in branch.matrices if matrix.name == name)
                inputs, weights = branch.inputs(matrix), branch.weights(matrix, branch.size)
                outputs = weights // inputs
                zeros[key_of(place, name)] = weights - outputs * kept(inputs, str(pattern))
        return before.with_zeros(zeros)

    def words(self, amounts: Mapping[str, Amount], place: Place, before: Left) -> str:
        """Such as `` 2:4``."""
        return f" {next(iter(amounts.values()))}"

    def check(self, part: Part) -> None:
        """InputError unless all are patterns."""
        for key, pattern in part.amounts:
            self.settings[0].check(pattern, f"part {self.name}: {key}")

    def surgery(self) -> NMSurgery:
        """See `autoprune.compress.surgery.nm`."""
        from autoprune.compress.surgery.nm import NMSurgery

        return NMSurgery()


def _check(place: Place, inputs: int, pattern: str) -> None:
    if inputs % parsed(pattern)[1]:
        where, given = text_of(place, "nm"), f"given {pattern!r} for {inputs} inputs"
        raise InputError(where, given, "an M that divides them")
