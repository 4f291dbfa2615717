"""L1P: a share of the weights, those of lowest score, becomes zero; see `surgery.l1p`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, final

from autoprune.compress.effort import Effort
from autoprune.compress.method import Given, Left, Method
from autoprune.compress.option import Option
from autoprune.compress.part import Amount, Part, key_of
from autoprune.compress.setting import Setting, Value
from autoprune.errors import InputError
from autoprune.networks.place import HEAD, MODEL, STEM, Kind, Place
from autoprune.networks.shape import BlockShape

if TYPE_CHECKING:
    from autoprune.compress.surgery.l1p import L1PSurgery

L1P_NAME = "l1p"


def _setting(means: str, *kinds: Kind) -> Setting:
    return Setting(
        name=L1P_NAME,
        kinds=kinds,
        means=means,
        neutral=0.0,
        below=True,
        rises=(-1, -1),
        tells=0.95,
        title="L1P",
    )


@final
class L1P(Method):
    """Zeros in each matrix, in all matrices of a block, or of all blocks, together.

    A part holds numbers of zeros: by matrix of a branch, of stem and of head, by block, and of the
    network; those that other methods make there are among them.
    """

    name: ClassVar[str] = L1P_NAME
    stage = "zeros"
    legend = "45 % zeros"
    settings = (
        _setting("share of zeros in each matrix, 0 to below 1.", "branch"),
        _setting(
            "share of zeros, 0 to below 1; of all matrices of the block together the smallest "
            "weights, in stem and head of each matrix.",
            "block",
            "stem",
            "head",
        ),
        _setting(
            "share of zeros among the smallest weights of all blocks together, 0 to below 1.",
            "model",
        ),
    )
    options = (
        Option(
            name="l1p_score",
            means=(
                "what weights are ranked by, the lowest become zero: `magnitude`, "
                "`magnitude_activity` (times the rate of the input), or `module:function`."
            ),
            default="magnitude",
            words=("magnitude", "magnitude_activity"),
            function=True,
        ),
        Option(
            name="l1p_schedule",
            means="zeros at once before fine-tuning, or more and more while it goes on (cubic).",
            default="one_shot",
            words=("one_shot", "gradual"),
        ),
    )

    def part(self, given: Given, before: Left, effort: Effort) -> Part:
        """Shares become the nearest integers, halves upwards; of what DSP leaves.

        Raises InputError for zeros asked of the same weights in two scopes.
        """
        amounts = []
        for place, matrices in _apart(before):
            share = given.number(place, L1P_NAME)
            for name, weights in matrices if share else ():
                key, zeros = key_of(place, name), _zeros(share, weights)
                if zeros > before.zeros.get(key, 0):
                    amounts.append((key, zeros))
        for place in (*map(Place, range(len(before.shape.blocks))), MODEL):
            share = given.number(place, L1P_NAME)
            zeros = _zeros(share, _weights(place, before)) if share else 0
            if zeros and zeros > before.zeros_in(place):
                amounts.append((str(place), zeros))
        part = Part.of(self.name, amounts)
        _check_scopes(part, len(before.shape.blocks))
        return part

    def left(self, part: Part, before: Left) -> Left:
        """The same matrices, with zeros."""
        zeros = dict(before.zeros)
        for key, count in part.amounts:
            place, _, matrix = key.partition("/")
            known = zeros.get(key, 0) if matrix else before.zeros_in(Place.parse(place))
            zeros[key] = zeros.get(key, 0) + int(count) - known
        return Left(before.shape, zeros)

    def words(self, amounts: Mapping[str, Amount], place: Place, before: Left) -> str:
        """Such as `` 80%``, of the network ``| all 80%``."""
        zeros = sum(int(count) for count in amounts.values())
        percent = f"{round(100 * zeros / _weights(place, before))}%"
        return f" | all {percent}" if place == MODEL else f" {percent}"

    def check(self, part: Part) -> None:
        """InputError unless all are numbers of zeros."""
        for key, zeros in part.amounts:
            if type(zeros) is not int or zeros <= 0:
                raise InputError(f"part {self.name}", f"{key} = {zeros!r}", "a whole number from 1")

    def needs_steps(self, options: Mapping[str, Value]) -> bool:
        """Where zeros become more while training goes on."""
        return options["l1p_schedule"] == "gradual"

    def surgery(self) -> L1PSurgery:
        """See `autoprune.compress.surgery.l1p`."""
        from autoprune.compress.surgery.l1p import L1PSurgery

        return L1PSurgery()


def _zeros(share: float, weights: int) -> int:
    return math.floor(share * weights + 0.5)


def _apart(before: Left) -> Iterator[tuple[Place, list[tuple[str, int]]]]:
    """Every place whose matrices are thinned one by one: their names and weights."""
    shape = before.shape
    for place, branch in shape.branches():
        yield place, [(m.name, branch.weights(m, branch.size)) for m in branch.matrices]
    for place, outside in ((STEM, shape.stem), (HEAD, shape.head)):
        if outside:
            yield place, [(m.name, m.weights_per_dimension) for m in outside]


def _block_weights(block: BlockShape) -> int:
    return sum(branch.all_weights for branch in block.branches)


def _weights(place: Place, before: Left) -> int:
    """Weights of a place."""
    if place.kind == "branch":
        return before.branch(place).all_weights
    if place.block is not None:
        return _block_weights(before.shape.blocks[place.block])
    if place == MODEL:
        return before.shape.block_weights
    outside = before.shape.stem if place == STEM else before.shape.head
    return sum(matrix.weights_per_dimension for matrix in outside)


def _check_scopes(part: Part, blocks: int) -> None:
    """InputError where the same weights are thinned in two scopes."""
    keys = [key.partition("/")[0] for key, _ in part.amounts]
    if len({key.count(".") for key in keys if key.startswith("blocks") or not key}) < 2:
        return
    for index in range(blocks):
        place = str(Place(index))
        scopes = {
            "its matrices": any(key.startswith(f"{place}.") for key in keys),
            "the block": place in keys,
            "the model": "" in keys,
        }
        named = [scope for scope, used in scopes.items() if used]
        if len(named) > 1:
            raise InputError(place, f"l1p of {' and of '.join(named)}", "l1p in one scope")
