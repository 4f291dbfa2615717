"""The neurons of a layer in blocks that are small enough for the processor's cache."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from autoprune.compress.surgery.slif.dynamics import Dynamics, Learnt

BLOCK = 262_144
"""Neurons per block and thread: 1 MiB per tensor of float32. Smaller blocks fit the cache better,
but starting an operation costs more than that gains: of 8 Ki to 512 Ki this was the fastest."""

Cut = tuple[slice, slice]
"""Rows and columns of a block."""


class Grid:
    """Tensors [T, B, ...] and [B, ...] seen as [T, rows, width] and [rows, width], in blocks.

    The width is 1 where theta and k are one per layer, else the size of a sample. Theta and k are
    [] or [width], in x's dtype.
    """

    def __init__(self, x: Tensor, learnt: Learnt, dynamics: Dynamics) -> None:
        self.dynamics = dynamics
        per_layer = all(p is None or p.numel() == 1 for p in learnt)
        self.sample = (1,) if per_layer else (1, *x.shape[2:])
        self.width = math.prod(self.sample)
        self.rows = x[0].numel() // self.width
        # Off the CPU, starting a kernel costs more than a cache gains.
        wanted = BLOCK * torch.get_num_threads() if x.device.type == "cpu" else x.numel()
        self.block = max(1, min(wanted // self.width, self.rows)), min(wanted, self.width)
        self.precise = torch.promote_types(x.dtype, torch.float32)
        w, a = (None if p is None else p.detach().to(self.precise) for p in learnt)
        self.theta, self.k = self._spread(dynamics.theta(w), x), self._spread(dynamics.k(a), x)

    def _spread(self, value: Tensor | float, x: Tensor) -> Tensor:
        if not isinstance(value, Tensor):
            return x.new_full((), value)
        value = value.to(x.dtype)
        return value.reshape(()) if value.numel() == 1 else value.expand(self.sample).reshape(-1)

    def gathered(self, total: Tensor, parameter: Tensor) -> Tensor:
        """The sum of `total`, [width], over everything that shares a parameter."""
        if parameter.numel() == 1:
            return total.sum().reshape(parameter.shape)
        return total.reshape(self.sample).sum_to_size(parameter.shape)

    def steps(self, x: Tensor) -> Tensor:
        """[T, B, ...] as [T, rows, width]."""
        return x.reshape(len(x), self.rows, self.width)

    def step(self, x: Tensor) -> Tensor:
        """[B, ...] as [rows, width]."""
        return x.reshape(self.rows, self.width)

    def blocks(self) -> Iterator[Cut]:
        """The rows and columns of each block, which is a part of one row, or whole rows."""
        height, width = self.block
        for top in range(0, self.rows, height):
            for left in range(0, self.width, width):
                yield (
                    slice(top, min(top + height, self.rows)),
                    slice(left, min(left + width, self.width)),
                )

    def at(self, learnt: Tensor, cut: Cut) -> Tensor:
        """Theta or k of a block."""
        return learnt[cut[1]] if learnt.dim() else learnt
