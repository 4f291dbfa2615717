"""Shown: what a network is shown, and what is asked of the census."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from autoprune.errors import CountingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a network is shown, and what is asked of the census.

    Attributes:
        steps, samples: T steps of B samples.
        weight_bits: bits to which the weights were rounded.
        with_activity: whether the figures of `autoprune.workload.parts.Activity` are taken.
        with_tiles: whether product sparsity is, too.
    """

    steps: int
    samples: int
    weight_bits: int = 32
    with_activity: bool = True
    with_tiles: bool = False

    def by_step(self, x: Tensor, name: str) -> Tensor:
        """`x` as [T, B, ...]; CountingError, under `name`, where it has no such axes."""
        if tuple(x.shape[:2]) == (self.steps, self.samples):
            return x
        if len(x) == self.steps * self.samples:
            return x.unflatten(0, (self.steps, self.samples))
        raise CountingError(
            f"{name}: an operand of shape {list(x.shape)}; expected [T, B, ...] with T = "
            f"{self.steps} and B = {self.samples}"
        )
