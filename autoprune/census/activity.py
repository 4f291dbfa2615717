"""What an activation holds: its class, and counts that are exact and kept per step and sample."""

from __future__ import annotations

import torch
from torch import Tensor

from autoprune.op import OperandClass


def operand_class(x: Tensor) -> OperandClass:
    """``binary`` where all entries are 0 or 1, ``integer`` where whole and >= 0, else ``real``."""
    if torch.equal(x, x * x):
        return "binary"
    if torch.equal(x, x.round()) and bool(x.min() >= 0):
        return "integer"
    return "real"


def bits(x: Tensor, kind: OperandClass) -> int:
    """Bits of an entry of an activation; see `autoprune.op.Op`."""
    match kind:
        case "binary":
            return 1
        case "ternary":
            return 2
        case "integer":
            return int(x.max()).bit_length()
        case "real":
            return 32


def whole(count: Tensor) -> int:
    """A sum of counts held in floating point as the integer that it is."""
    return round(float(count.sum(dtype=torch.float64)))


def per_step(count: Tensor) -> tuple[int, ...]:
    """Counts [T, B] as one integer per time step."""
    return tuple(round(float(value)) for value in count.sum(1, dtype=torch.float64))


def deviation(count: Tensor) -> float:
    """Standard deviation over samples of counts [T, B] summed over time."""
    return float(count.sum(0, dtype=torch.float64).std(correction=0))
