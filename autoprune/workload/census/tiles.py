"""Product sparsity: what is left of spikes where a row of a tile is made of another one.

In a tile of 256 rows and 16 columns a row of two spikes or more loses the largest row that it
contains; of equal rows all but the first are lost whole. What is left is added up, and the result
of the row that was lost is added once (Wei et al., "Prosperity", HPCA 2025, arXiv 2503.03379; rule
of its simulator, commit 6ee1c6f).
"""

from __future__ import annotations

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from autoprune.errors import CountingError
from autoprune.workload.census.functions import Convolution
from autoprune.workload.census.values import nonzero
from autoprune.workload.parts import TILE

NO_TILES = (0, 0, 0, 0)
"""Those of what is not multiplied, or is no spikes."""

_ROWS, _COLUMNS = TILE
_ONES = np.array([number.bit_count() for number in range(1 << _COLUMNS)], dtype=np.uint8)
_PAIRS = 1 << 12  # rows that are compared with their tiles at once: they stay in a core's cache


def tiles(x: Tensor) -> tuple[int, int, int, int]:
    """`autoprune.workload.parts.Activity.tiles` of matrices ``x = [..., rows, columns]``."""
    rows = _packed(nonzero(x))
    ones = _ONES[rows]
    searched, single = int((ones > 1).sum()), int((ones == 1).sum())
    rows.sort(axis=1)
    first = np.diff(rows, axis=1, prepend=0) != 0  # a row of zeros is nobody's first
    tile, place = np.nonzero(first & (_ONES[rows] > 1))
    left = single + sum(
        _left(rows[tile[i : i + _PAIRS]], place[i : i + _PAIRS])
        for i in range(0, len(tile), _PAIRS)
    )
    return int(ones.sum(dtype=np.int64)), left, searched - len(tile), searched


def unrolled(x: Tensor, weight: Tensor, walk: Convolution) -> Tensor:
    """The input of a layer, [T, B, ...], as matrices [B, groups, positions T, K].

    The steps of a position lie side by side, and so do the taps of a channel.
    """
    if walk.transposed:  # every input of a channel meets all taps
        return x.flatten(3).unflatten(2, (walk.groups, -1)).permute(1, 2, 4, 0, 3).flatten(2, 3)
    if weight.ndim > 4:
        raise CountingError("product sparsity of a convolution of three dimensions is not counted")
    if weight.ndim == 2:
        x = x.flatten(2, -2) if x.ndim > 3 else x.unsqueeze(2) if x.ndim == 3 else x
        return x.permute(1, 2, 0, 3).flatten(1, 2).unsqueeze(1)
    steps, samples = x.shape[:2]
    flat = x.flatten(0, 1).float()
    if weight.ndim == 3:
        flat = flat.unsqueeze(2)
    both = 2 - (weight.ndim - 2)
    taps = F.unfold(
        flat,
        (1,) * both + tuple(weight.shape[2:]),
        dilation=(1,) * both + walk.dilation,
        padding=(0,) * both + walk.padding,
        stride=(1,) * both + walk.stride,
    )
    split = taps.unflatten(1, (walk.groups, -1)).unflatten(0, (steps, samples))
    return split.permute(1, 2, 4, 0, 3).flatten(2, 3)


def _packed(held: np.ndarray) -> np.ndarray:
    """The rows of all tiles, [tiles, 256], a bit per spike; rows and columns that lack are 0."""
    rows, columns = held.shape[-2:]
    held = held.reshape(-1, rows, columns)
    held = np.pad(held, ((0, 0), (0, -rows % _ROWS), (0, -columns % _COLUMNS)))
    bytes_ = np.packbits(held.reshape(-1, _COLUMNS), axis=1)  # as the rows lie, or transposed
    bits = np.ascontiguousarray(bytes_).view(np.uint16)
    return bits.reshape(-1, _ROWS, held.shape[-1] // _COLUMNS).swapaxes(1, 2).reshape(-1, _ROWS)


def _left(tiles: np.ndarray, place: np.ndarray) -> int:
    """Spikes left of one row of each of these tiles, none of which is there earlier."""
    row = np.take_along_axis(tiles, place[:, None], axis=1)
    inside = ((tiles & ~row) == 0) & (tiles != row)
    largest = np.where(inside, _ONES[tiles], 0).max(axis=1)
    return int((_ONES[row[:, 0]] - largest).sum(dtype=np.int64))
