"""How a weight matrix is stored: dense, as a bitmap or in compressed rows; exactly, bit for bit.

    dense    every value
    bitmap   one bit per weight, then the values that are not zero
    csr      where each row begins, the column of every value that is not zero, the values

Zero is the bit pattern of +0.0 alone: -0.0 is a value like any other, so that decoding returns
the very bits. Whole numbers are stored in the smallest of uint8, uint16, int32 and int64 that
holds the largest of them.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Format = Literal["dense", "bitmap", "csr"]

_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""The integers that have the bits of a value, by bytes."""

_INDICES = ((2**8 - 1, torch.uint8), (2**16 - 1, torch.uint16), (2**31 - 1, torch.int32))


def encode(matrix: Tensor) -> tuple[Format, dict[str, Tensor]]:
    """The smallest format of `matrix` [rows, columns], and the tensors by which it is stored.

    Of formats of one size the first of this module's list is taken.
    """
    nonzero = _nonzero(matrix)
    rows, columns = matrix.shape
    found = sizes(rows, columns, int(nonzero.sum()), matrix.element_size())
    best = min(found, key=found.__getitem__)
    if best == "dense":
        return best, {"": matrix.contiguous()}
    values = matrix[nonzero]
    if best == "bitmap":
        return best, {"bitmap": _packed(nonzero.flatten()), "values": values}
    counts = nonzero.sum(1)
    pointers = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return best, {
        "pointers": pointers.to(_index(len(values))),
        "columns": nonzero.nonzero()[:, 1].to(_index(columns - 1)),
        "values": values,
    }


def decode(stored: Format, parts: dict[str, Tensor], rows: int, columns: int) -> Tensor:
    """The matrix [rows, columns] that `encode` turned into these parts."""
    if stored == "dense":
        return parts[""].reshape(rows, columns)
    values = parts["values"]
    matrix = values.new_zeros(rows, columns)
    if stored == "bitmap":
        matrix[_unpacked(parts["bitmap"], rows * columns).reshape(rows, columns)] = values
    else:
        counts = parts["pointers"].to(torch.int64).diff()
        row = torch.arange(rows).repeat_interleave(counts)
        matrix[row, parts["columns"].to(torch.int64)] = values
    return matrix


def sizes(rows: int, columns: int, nonzeros: int, value_bytes: int) -> dict[Format, int]:
    """Bytes of a matrix in every format."""
    values = nonzeros * value_bytes
    pointers = (rows + 1) * _index(nonzeros).itemsize
    return {
        "dense": rows * columns * value_bytes,
        "bitmap": (rows * columns + 7) // 8 + values,
        "csr": pointers + nonzeros * _index(columns - 1).itemsize + values,
    }


def nonzeros(tensor: Tensor) -> int:
    """Values whose bits are not those of +0.0."""
    return int(_nonzero(tensor).sum())


def _nonzero(tensor: Tensor) -> Tensor:
    return tensor.contiguous().view(_BITS[tensor.element_size()]) != 0


def _index(largest: int) -> torch.dtype:
    """The smallest type for whole numbers up to `largest`."""
    return next((dtype for limit, dtype in _INDICES if largest <= limit), torch.int64)


def _packed(bits: Tensor) -> Tensor:
    """Eight bits per byte, the first one lowest; the last byte filled up with zeros."""
    padded = bits.new_zeros((len(bits) + 7) // 8 * 8)
    padded[: len(bits)] = bits
    places = 2 ** torch.arange(8)
    return (padded.reshape(-1, 8) * places).sum(1).to(torch.uint8)


def _unpacked(packed: Tensor, count: int) -> Tensor:
    bits = packed.unsqueeze(1).to(torch.int64) >> torch.arange(8) & 1
    return bits.flatten()[:count].bool()
