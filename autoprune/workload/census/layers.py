"""Count a convolution or a linear layer: what it read and what it multiplied."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from autoprune.workload.census.activity import asked
from autoprune.workload.census.functions import LINEAR, Convolution
from autoprune.workload.census.operand import Operand, activation, work
from autoprune.workload.census.places import Site
from autoprune.workload.census.tiles import unrolled
from autoprune.workload.census.values import every, is_one_bit, spikes, whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Geometry, Second, Sizes


@dataclass(frozen=True, slots=True)
class Layer:
    """A linear layer or a convolution, whose input is ``x = [T, B, rows, C, ...]``.

    Attributes:
        weight: [out, in / groups], or [out, in / groups, kernel ...], or of a transposed
            convolution [in, out / groups, kernel ...].
        out_size: positions of an output, one entry per dimension of the kernel.
        walk: how it walks over the input.
        weight_bits: bits to which the weights were rounded; 32 as they were trained.
    """

    weight: Tensor
    out_size: tuple[int, ...] = ()
    walk: Convolution = LINEAR
    weight_bits: int = 32

    def op(self, at: Site, a: Operand) -> Op:
        """The Op of one call, without neurons.

        Events are exact at borders and strides: what falls off the image reaches nothing.
        """
        sizes = self._sizes(a.x)
        weight, by_tap = self._held()
        events, fanout, effective = self._synaptic_operations(a, by_tap)
        macs = a.x.shape[:2].numel() * sizes.m * sizes.k * sizes.n * sizes.groups
        is_conv = bool(self.out_size)
        return at.op(
            kind="conv" if is_conv else "linear",
            sizes=sizes,
            geometry=self._geometry(a.x) if is_conv else None,
            a=activation(a, events),
            b=weight,
            work=work(a, macs, whole(fanout), effective),
            activity=asked(at, a.x.flatten(4) if is_conv else a.x.mT, self._matrices(a)),
        )

    def _matrices(self, a: Operand) -> Iterator[Tensor]:
        """Spikes as they are multiplied, sample by sample: unrolled they are many times as many."""
        if a.values.kind != "real":
            x = a.x.flatten(1, 2) if self.out_size else a.x
            for sample in x.split(1, dim=1):
                yield unrolled(sample, self.weight, self.walk)

    def _by_output(self) -> Tensor:
        """The weight as [out, in / groups, kernel ...]."""
        if not self.walk.transposed:
            return self.weight
        return self.weight.unflatten(0, (self.walk.groups, -1)).transpose(1, 2).flatten(0, 1)

    def _held(self) -> tuple[Second, Tensor]:
        """The weight as B of an Op, and its nonzeros by input channel and tap, [C, kernel ...]."""
        given, groups = self._by_output(), self.walk.groups
        if every(given, lambda a: a != 0):
            held = torch.ones((), device=given.device).expand(given.shape)
        else:
            held = given.to(torch.bool).float()  # sums of fewer than 2^24 are exact
        by_tap = held.unflatten(0, (groups, -1)).sum(1).flatten(0, 1)
        rows, columns = by_tap, held.flatten(1).sum(1)
        if self.walk.transposed:  # taps are columns
            rows, columns = by_tap.flatten(1).sum(1), held.sum(1)
        some = held.numel() > 0
        nonzeros = whole(by_tap) if some else 0
        patterned = (2, 4, 8) if nonzeros < held.numel() else ()
        weight = Second(
            kind="weight",
            bits=self.weight_bits,
            size=held.numel(),
            nonzeros=nonzeros,
            row_max=int(rows.max()) if some else 0,
            column_max=int(columns.max()) if some else 0,
            **{f"max_of_{inputs}": _most_of(inputs, held) for inputs in patterned},
        )
        return weight, by_tap

    def _sizes(self, x: Tensor) -> Sizes:
        groups, (out, k, *kernel) = self.walk.groups, self._by_output().shape
        taps = math.prod(kernel)
        positions, k_taps, n_taps = self.out_size, taps, 1
        if self.walk.transposed:
            positions, k_taps, n_taps = x.shape[4:], 1, taps
        return Sizes(
            m=math.prod(positions) * x.shape[2],
            k=k * k_taps,
            n=out // groups * n_taps,
            groups=groups,
            time_steps=len(x),
        )

    def _synaptic_operations(self, a: Operand, by_tap: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Events, fan-out and effective synaptic operations, each [T, B] in float64."""
        if a.values.kind == "real":
            nothing = torch.zeros(a.x.shape[:2], dtype=torch.float64)
            return nothing, nothing, nothing
        x = spikes(a.x, a.values)
        if self._is_pointwise:
            events = reached = x.flatten(4).sum(4).sum(2) if self.out_size else x.sum(2)
        else:
            # Some processors round the factors of a product of float32, which 0 and 1 survive.
            x = x if is_one_bit(a.values) else x.double()
            sums = (x.flatten(4) @ self._met(x).to(x)).sum(2)
            events, reached = sums[..., 0], sums[..., 1:].flatten(2)
        events, reached = events.double().sum(2), reached.double()
        width = len(self._by_output()) // self.walk.groups
        return events, reached.sum(2) * width, reached @ by_tap.double().flatten()

    def _met(self, x: Tensor) -> Tensor:
        """Which positions each tap of the kernel meets, [positions, 1 + taps]; first, all.

        Tap i of a dimension meets the inputs ``o * stride + i * dilation - padding`` that are there
        for an output o; what falls off the image reaches nothing. A column is of 0 and 1, so that
        one matrix product adds up the events of all taps.
        """
        met = torch.ones(1, 1, dtype=torch.float64)
        for axis, length in enumerate(x.shape[4:]):
            one = torch.zeros(length, self.weight.shape[2 + axis], dtype=torch.float64)
            for tap, part in enumerate(self._taps(axis, length)):
                one[part, tap] = 1
            met = torch.kron(met, one)
        return torch.cat([torch.ones(len(met), 1, dtype=met.dtype), met], 1)

    def _taps(self, axis: int, length: int) -> Iterator[slice]:
        """The part of an input axis that each tap of the kernel meets."""
        walk, outputs = self.walk, self.out_size[axis]
        stride, dilation, padding = (x[axis] for x in (walk.stride, walk.dilation, walk.padding))
        for tap in range(self.weight.shape[2 + axis]):
            offset = tap * dilation - padding
            first = max(0, -(offset // stride))
            if walk.transposed:  # the inputs i whose output i * stride + offset is there
                yield slice(first, max(first, (outputs - 1 - offset) // stride + 1))
                continue
            last = min(outputs - 1, (length - 1 - offset) // stride)  # outputs whose input is there
            start = first * stride + offset
            yield slice(start, max(start, last * stride + offset + 1), stride)

    @property
    def _is_pointwise(self) -> bool:
        sizes = (*self.weight.shape[2:], *self.walk.stride)
        return all(size == 1 for size in sizes) and not any(self.walk.padding)

    def _geometry(self, x: Tensor) -> Geometry:
        return Geometry(
            kernel=tuple(self.weight.shape[2:]),
            stride=self.walk.stride,
            padding=self.walk.padding,
            dilation=self.walk.dilation,
            in_size=tuple(x.shape[4:]),
            out_size=self.out_size,
        )


def _most_of(inputs: int, held: Tensor) -> int:
    """The most nonzeros among so many consecutive inputs of an output; see `Second.max_of_2`."""
    if held.shape[1] % inputs:
        return inputs
    return int(held.unflatten(1, (-1, inputs)).sum(2).max())
