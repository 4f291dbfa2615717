"""Extension nodes: what our networks do and no primitive of NIR holds, each under its own name.

Readers that do not know them refuse the whole file, as they should: a product of two signals that
is left out is another network. All of them act on the signal of one step and one sample, and each
has one output.

    AutoprunePool      the largest value of each window
    AutopruneReshape   the same values in the same order, in another shape
    AutoprunePermute   the axes in another order
    AutopruneSlice     values `start` to `stop` (not included) along one axis
    AutopruneSum       the sum over axes, which stay with length 1
    AutopruneProduct   of the signals of two nodes, which it names: ``matmul`` of their last two
                       axes, or ``multiply``, value by value, axes of length 1 repeated

Edges lead to a product from both of its operands; they are not added up, as those of other nodes
are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nir
import numpy as np


class Extension(nir.NIRNode):
    """What extension nodes have in common: shapes are found by running them."""

    def __post_init__(self) -> None:
        self.input_type = {"input": None}
        self.output_type = {"output": None}


@dataclass(eq=False)
class AutoprunePool(Extension):
    """The largest value of each window of [C, H, W]; beyond the border is nothing."""

    kernel_size: np.ndarray
    stride: np.ndarray
    padding: np.ndarray


@dataclass(eq=False)
class AutopruneReshape(Extension):
    """The same values in `shape`."""

    shape: np.ndarray


@dataclass(eq=False)
class AutoprunePermute(Extension):
    """Axis i of the result is axis ``axes[i]``."""

    axes: np.ndarray


@dataclass(eq=False)
class AutopruneSlice(Extension):
    """Values `start` to `stop`, which is not included, along `axis`."""

    axis: int
    start: int
    stop: int


@dataclass(eq=False)
class AutopruneSum(Extension):
    """The sum over `axes`, which stay with length 1."""

    axes: np.ndarray


@dataclass(eq=False)
class AutopruneProduct(Extension):
    """The product of what the nodes `left` and `right` emit: ``matmul`` or ``multiply``."""

    left: str
    right: str
    kind: str


EXTENSIONS: Mapping[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        AutoprunePool,
        AutopruneReshape,
        AutoprunePermute,
        AutopruneSlice,
        AutopruneSum,
        AutopruneProduct,
    )
}
"""The extension nodes by their types in a file."""
