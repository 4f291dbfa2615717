"""Shown: what a network is shown, and what is asked of the census."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from autoprune.errors import CountingError
from autoprune.workload.census.axes import Axes, Sizes, by_step


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a network is shown, and what is asked of the census.

    Attributes:
        sizes: T steps of B samples.
        weight_bits: bits to which the weights were rounded.
        with_activity: whether the figures of `autoprune.workload.parts.Activity` are taken.
        with_tiles: whether product sparsity is, too.
    """

    sizes: Sizes
    weight_bits: int = 32
    with_activity: bool = True
    with_tiles: bool = False

    def by_step(self, x: Tensor, axes: Axes, name: str) -> Tensor:
        """`x` as [T, B, ...], or [1, B, ...] where it holds one step or none.

        Where its axes are not known, T and B are its first two, or its first one holds both.

        Raises CountingError, under `name`, where its samples cannot be told apart.
        """
        found = by_step(x, axes, self.sizes)
        steps, samples = self.sizes.steps, self.sizes.samples
        if found is None and tuple(x.shape[:2]) == (steps, samples):
            found = x
        if found is None and x.ndim and len(x) == steps * samples:
            found = x.unflatten(0, (steps, samples))
        if found is None and x.ndim and len(x) % samples == 0 and not x.any():
            found = x.unflatten(0, (samples, -1)).unsqueeze(0)  # zeros, which are all alike
        if found is None:
            raise CountingError(
                f"{name or 'the network itself'}: an operand of shape {list(x.shape)}, whose "
                f"samples cannot be told apart; expected [T, B, ...] with T = {steps} and "
                f"B = {samples}, or another shape "
                "that is made of it by views. Of one sample (--samples 1) any shape will do"
            )
        return found
