"""What an activation holds: its class, its bits, and sums of its spikes that are exact.

Spikes are whole multiples of one constant, the unit, which folds into the weights that multiply
them. Where the way of a tensor tells its unit, such as a scale or the size of an average, and the
data agree, it is that; else 1 where all entries are whole; else the largest number of which all
entries are multiples within `TOLERANCE` roundings of float32, under three conditions, so that real
numbers are not taken for spikes: the largest entry is at most `LEVELS` units, at most
`PER_MAGNITUDE` units for each magnitude that occurs, and rounding at that level is less than an
eighth of a unit. Of real numbers with two magnitudes one tensor in a hundred passes, with three one
in 10 000, and with more none that was found; a tensor of one magnitude is binary or ternary anyway.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autoprune.workload.parts import OperandClass

LEVELS = 4096
PER_MAGNITUDE = 32
TOLERANCE = 8

_TOLERANCE = TOLERANCE * torch.finfo(torch.float32).eps
_CHUNK = 1 << 17  # entries that are looked at together: they stay in a core's cache
_SAMPLE = 512  # magnitudes of which a unit is guessed
_EXACT = 1 << 24  # whole numbers up to here are exact in float32, and so are their sums


@dataclass(frozen=True, slots=True)
class Values:
    """What the entries of a tensor are.

    Attributes:
        kind: ``binary`` where all are 0 or one unit, ``ternary`` where also less one unit,
            ``integer`` where whole multiples of it, else ``real``.
        largest: magnitude of the largest entry in units; 0 where real.
        signed: whether an entry is negative; False where real.
        unit: what one spike is; 1 where the entries are whole as they are.
    """

    kind: OperandClass
    largest: int = 0
    signed: bool = False
    unit: float = 1.0

    @property
    def bits(self) -> int:
        """Bits of an entry; see `autoprune.workload.parts.Activation`."""
        fixed = {"binary": 1, "ternary": 2, "real": 32}
        return fixed.get(self.kind) or self.largest.bit_length() + self.signed


BINARY, REAL = Values("binary", 1), Values("real")


def examine(x: Tensor, unit: float | None = None, *, whole: bool = False) -> Values:
    """What the entries of `x` are.

    Args:
        x: the tensor.
        unit: what one spike is, where its way tells; the data decide whether they agree. Where all
            entries happen to be even, say, only the way tells that one spike is half of them.
        whole: whether `x` is known to hold whole numbers.
    """
    if x.dtype == torch.bool or x.is_complex():
        return REAL if x.is_complex() else BINARY
    known = unit is not None and not whole and unit != 1
    if not known and not whole and every(x, lambda a: (a == 0) | (a == 1)):
        return BINARY
    if not (known and _multiples(x, abs(unit or 1))):
        unit = 1.0
        if not whole and not every(x, lambda a: a.round() == a):
            unit = _unit(x) if x.is_floating_point() else None
            unit = math.nextafter(1, 2) if unit == 1 else unit  # entries are only nearly whole
    unit = None if unit is None else abs(unit)
    if not x.numel():
        return BINARY
    low, high = (float(bound) for bound in torch.aminmax(x))
    if unit is None or not math.isfinite(high - low):
        return REAL
    largest = round(max(-low, high) / unit)
    if largest <= 1:
        return Values("ternary" if low < 0 else "binary", 1, low < 0, unit)
    return Values("integer", largest, low < 0, unit)


def version(x: Tensor) -> float:
    """How often its memory was written to; never equal where torch does not count that."""
    return float("nan") if x.is_inference() else x._version


def counted(x: Tensor, values: Values) -> Tensor:
    """`x` in units: whole numbers; real numbers as they are."""
    return x if values.unit == 1 or values.kind == "real" else (x / values.unit).round()


def by_channel(x: Tensor, axis: int) -> tuple[Tensor, Values]:
    """`x` in units of its own for each channel, and what it holds then; `REAL` where it is not.

    A constant per channel folds into the weights of that channel.
    """
    units = []
    for channel in range(x.shape[axis]):
        values = examine(x.select(axis, channel))
        if values == REAL:
            return x, REAL
        units.append(_unit(x.select(axis, channel)) or 1.0)
    shape = [1] * x.ndim
    shape[axis] = -1
    whole = (x / torch.tensor(units, dtype=x.dtype, device=x.device).reshape(shape)).round()
    return whole, examine(whole, whole=True)


def every(x: Tensor, test: Callable[[Any], Any]) -> bool:
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


def _multiples(x: Tensor, unit: float) -> bool:
    """Whether all entries are whole multiples of a unit, within rounding."""

    def whole(part: Any) -> Any:
        ratios = abs(part / unit)
        return abs(ratios - ratios.round()) <= ratios * _TOLERANCE

    return x.is_floating_point() and every(x, whole)


def _unit(x: Tensor) -> float | None:
    """The unit of which all entries are whole multiples; None where there is none."""
    tolerance = max(TOLERANCE * torch.finfo(x.dtype).eps, _TOLERANCE)
    most = min(LEVELS, int(1 / (8 * tolerance)))
    unit, levels = None, np.zeros(most + 2, dtype=np.bool_)
    for chunk in _chunks(host(x)):
        sizes = np.abs(chunk[chunk != 0]).ravel().astype(np.float64)
        while sizes.size:
            if unit is not None:
                ratios = sizes / unit
                whole = np.abs(ratios - np.rint(ratios)) <= ratios * tolerance
                if whole.all():
                    break
            odd = sizes[:_SAMPLE] if unit is None else np.append(sizes[~whole][:_SAMPLE], unit)
            finer = _divisor(odd, most)
            if finer is None or (unit is not None and finer > 0.75 * unit):
                return None
            if unit is not None:  # what was a level is a multiple of one
                held = np.flatnonzero(levels) * round(unit / finer)
                levels[:] = False
                levels[np.minimum(held, most + 1)] = True
            unit = finer
        if unit is not None and sizes.size:
            levels[np.minimum(np.rint(sizes / unit), most + 1).astype(np.int64)] = True
    found = np.flatnonzero(levels)
    if unit is None or found[-1] > most or found[-1] > PER_MAGNITUDE * len(found):
        return None
    return unit


def _divisor(sizes: np.ndarray, most: int) -> float | None:
    """The largest number of which these are multiples, up to `most` of it; Euclid's algorithm."""
    sizes = np.unique(sizes)
    top = sizes[-1]
    if not math.isfinite(top):
        return None
    left = sizes
    while True:
        unit = left[0]
        if unit * most < top * (1 - 1e-6):
            return None
        rest = np.abs(left - np.rint(left / unit) * unit)
        rest = rest[rest > top / (8 * most)]
        if not rest.size:
            return float(top / np.rint(top / unit))
        left = np.unique(np.append(rest, unit))


def host(x: Tensor) -> np.ndarray:
    """The entries as an array, which shares the memory of a tensor that numpy can hold."""
    x = x.detach()
    return (x.float() if x.dtype == torch.bfloat16 else x).cpu().numpy()


def nonzero(x: Tensor, zero: Tensor | None = None) -> np.ndarray:
    """Where `x` is not 0, or not `zero`, which is broadcast to it."""
    if x.is_cuda:
        return host(x != (0 if zero is None else zero))
    return host(x) != (0 if zero is None else host(zero))


def product(a: Tensor, b: Tensor) -> Tensor:
    """``a @ b``, in a type whose sums are exact up to 2^24."""
    double = torch.float64 in (a.dtype, b.dtype)
    return a.double() @ b.double() if double else a.float() @ b.float()


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
