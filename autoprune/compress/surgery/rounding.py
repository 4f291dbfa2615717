"""Round the weights of every layer to a symmetric grid per output channel.

    scale = max |w| / (2^(bits - 1) - 1)        w' = round(w / scale) * scale

computed in float64 and rounded once; of a channel that is zero nothing changes. Biases, batch norm
and neurons stay as they are, and so does a parameter that is the weight of no `Weighted` layer.

The grid of a channel moves with its scale and has no offset. Hence rounding commutes with folding
batch norm, which multiplies each output channel by one number: round(fold(w)) = fold(round(w)).
A trial therefore need not fold to know the accuracy of the folded network.

The largest weight of a channel stays, to the bit. Hence rounding a second time changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

from torch import Tensor, nn

from autoprune.compress.bits import FULL_BITS, LEAST_BITS
from autoprune.compress.part import Part
from autoprune.compress.surgery.surgery import Subject, Surgery
from autoprune.errors import InputError
from autoprune.networks.adapter import Weighted
from autoprune.networks.place import MODEL


@final
class RoundingSurgery(Surgery):
    """Rounds all weights once fine-tuning is done."""

    def finish(self, subject: Subject, part: Part) -> None:
        """Round to the part's bits."""
        round_weights(subject.network, int(part.at(MODEL).get("", FULL_BITS)))


def round_weights(model: nn.Module, bits: int, *, shared: bool = False) -> None:
    """Round every layer's weights in place; 32 bits and more change nothing.

    Args:
        model: whose weights they are.
        bits: of a weight.
        shared: whether all channels of a layer have one grid, as wide as the widest needs.

    Raises InputError below 2 bits, where the grid holds nothing but 0.
    """
    if bits < LEAST_BITS:
        raise InputError("weight_bits", f"given {bits}", f"at least {LEAST_BITS}")
    if bits < FULL_BITS:
        for weight in _weights(model):
            weight.copy_(_on_grid(weight, bits, shared=shared))


def grid(weight: Tensor, bits: int, *, shared: bool = False) -> Tensor:
    """The step of each output channel's grid, [out], in float64; 0 of a channel that is zero."""
    largest = weight.double().flatten(1).abs().amax(1)
    widest = largest.max().expand_as(largest) if shared else largest
    return widest / (2 ** (bits - 1) - 1)


@contextmanager
def rounded(model: nn.Module, bits: int) -> Iterator[None]:
    """While this lasts, the weights are as `round_weights` leaves them; then as they were, bit for
    bit.

    Raises InputError as `round_weights` does.
    """
    before = [(weight, weight.clone()) for weight in _weights(model)]
    try:
        round_weights(model, bits)
        yield
    finally:
        for weight, kept in before:
            weight.copy_(kept)


def _weights(model: nn.Module) -> list[Tensor]:
    """The weights of every layer, to be written to."""
    return [module.weight.data for module in model.modules() if isinstance(module, Weighted)]


def _on_grid(weight: Tensor, bits: int, *, shared: bool) -> Tensor:
    """The nearest points of the grid, [out, ...], halves to the even one."""
    scale = grid(weight, bits, shared=shared).reshape(-1, *[1] * (weight.ndim - 1))
    steps = (weight.double() / scale.where(scale > 0, 1.0)).round()
    return (steps * scale + 0.0).to(weight.dtype)  # + 0.0 makes a zero of every -0.0
