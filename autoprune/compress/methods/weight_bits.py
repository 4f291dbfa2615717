"""Bits of weights: all weights are rounded after fine-tuning; see `surgery.rounding`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final

from autoprune.compress.bits import FULL_BITS, LEAST_BITS
from autoprune.compress.effort import Effort
from autoprune.compress.method import Given, Left, Method
from autoprune.compress.part import Amount, Part, key_of
from autoprune.compress.setting import Setting
from autoprune.networks.place import MODEL, Place

if TYPE_CHECKING:
    from autoprune.compress.surgery.rounding import RoundingSurgery


@final
class WeightBits(Method):
    """Bits to which the weights of a network are rounded; a part holds their number."""

    name: ClassVar[str] = "weight_bits"
    stage = "values"
    legend = "8b weights of 8 bits"
    settings = (
        Setting(
            name="weight_bits",
            kinds=("model",),
            means=(
                "bits to which the weights are rounded after fine-tuning, 2 to 32; a plan in which "
                "nothing else says so takes the most that are offered."
            ),
            neutral=FULL_BITS,
            low=LEAST_BITS,
            high=FULL_BITS,
            whole=True,
            rises=(1, 1),
            nearest=True,
        ),
    )

    def part(self, given: Given, before: Left, effort: Effort) -> Part:
        """The bits, unless they are those of training."""
        bits = int(given.number(MODEL, self.name))
        return Part.of(self.name, [(key_of(MODEL), bits)] if bits < FULL_BITS else [])

    def weight_bits(self, part: Part) -> int:
        """Bits of a weight that it leaves."""
        return int(part.at(MODEL).get("", FULL_BITS))

    def words(self, amounts: Mapping[str, Amount], place: Place, before: Left) -> str:
        """Such as `` 8b``."""
        return f" {amounts['']}b"

    def check(self, part: Part) -> None:
        """InputError unless it holds bits of a weight alone."""
        for key, bits in part.amounts:
            self.settings[0].check(bits, f"part {self.name}: {key}" if key else self.name)

    def surgery(self) -> RoundingSurgery:
        """See `autoprune.compress.surgery.rounding`."""
        from autoprune.compress.surgery.rounding import RoundingSurgery

        return RoundingSurgery()
