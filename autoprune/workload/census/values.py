"""What an activation holds: its class, its bits, and sums of its spikes that are exact."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoprune.workload.parts import OperandClass

_CHUNK = 1 << 17  # entries that are looked at together: they stay in a core's cache
_EXACT = 1 << 24  # whole numbers up to here are exact in float32, and so are their sums


@dataclass(frozen=True, slots=True)
class Values:
    """What the entries of a tensor are.

    Attributes:
        kind: ``binary`` where all are 0 or 1, ``ternary`` where -1, 0 or 1, ``integer`` where
            whole, else ``real``.
        largest: magnitude of the largest entry; 0 where real.
        signed: whether an entry is negative; False where real.
    """

    kind: OperandClass
    largest: int = 0
    signed: bool = False

    @property
    def bits(self) -> int:
        """Bits of an entry; see `autoprune.workload.parts.Activation`."""
        fixed = {"binary": 1, "ternary": 2, "real": 32}
        return fixed.get(self.kind) or self.largest.bit_length() + self.signed


BINARY, REAL = Values("binary", 1), Values("real")


def examine(x: Tensor, *, whole: bool = False) -> Values:
    """What the entries of `x` are; `whole` where they are known to be whole numbers."""
    if not whole:
        if _all(x, lambda a: (a == 0) | (a == 1)):
            return BINARY
        if not _all(x, lambda a: a.round() == a):
            return REAL
    if not x.numel():
        return BINARY
    low, high = (float(bound) for bound in torch.aminmax(x))
    if not math.isfinite(high - low):
        return REAL
    largest = round(max(-low, high))
    if largest <= 1:
        return BINARY if low >= 0 else Values("ternary", 1, True)
    return Values("integer", largest, low < 0)


def _all(x: Tensor, test: Callable[[Any], Any]) -> bool:
    """Whether every entry passes `test`, which gives an array or tensor of truths."""
    if x.is_cuda:
        return bool(test(x).all())
    return all(test(part).all() for part in _chunks(host(x)))


def _chunks(a: np.ndarray) -> Iterator[np.ndarray]:
    if a.flags.c_contiguous:
        a = a.reshape(-1)
        yield from (a[i : i + _CHUNK] for i in range(0, a.size, _CHUNK))
    elif a.size <= _CHUNK or a.ndim < 2:
        yield a
    else:
        for part in a:
            yield from _chunks(part)


def host(x: Tensor) -> np.ndarray:
    """The entries as an array, which shares the memory of a tensor that numpy can hold."""
    x = x.detach()
    return (x.float() if x.dtype == torch.bfloat16 else x).cpu().numpy()


def nonzero(x: Tensor, zero: Tensor | None = None) -> np.ndarray:
    """Where `x` is not 0, or not `zero`, which is broadcast to it."""
    if x.is_cuda:
        return host(x != (0 if zero is None else zero))
    return host(x) != (0 if zero is None else host(zero))


def spikes(x: Tensor, values: Values) -> Tensor:
    """Events of every entry of ``x = [T, B, ...]``, in a type that adds up a [T, B] exactly.

    An integer n is n events, and so is -n.
    """
    most = values.largest * math.prod(x.shape[2:])
    exact = torch.float32 if most < _EXACT and x.dtype != torch.float64 else torch.float64
    return (x.abs() if values.signed else x).to(exact)


def is_one_bit(values: Values) -> bool:
    """Whether nonzero entries are as many as events."""
    return values.kind in ("binary", "ternary")


def ones(x: Tensor, values: Values) -> Tensor:
    """1 where ``x = [T, B, ...]`` is not 0, else 0, in a type that adds up a [T, B] exactly."""
    if values.kind == "real":
        return spikes(x != 0, BINARY)
    x = x if is_one_bit(values) else x.clamp(-1, 1)
    return spikes(x, Values(values.kind, 1, values.signed))


def whole(count: Tensor) -> int:
    """A sum of counts held in floating point as the integer that it is."""
    return round(float(count.sum(dtype=torch.float64)))


def per_step(count: Tensor) -> tuple[int, ...]:
    """Counts [T, B] as one integer per time step."""
    return tuple(round(value) for value in count.sum(1, dtype=torch.float64).tolist())


def deviation(count: Tensor) -> float:
    """Standard deviation over samples of counts [T, B] summed over time."""
    return float(count.sum(0, dtype=torch.float64).std(correction=0))
