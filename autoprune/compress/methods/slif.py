"""sLIF: neurons that learn their threshold and time constant; see `surgery.slif`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, final, get_args

from autoprune.compress.effort import Effort
from autoprune.compress.method import Given, Left, Method
from autoprune.compress.neurons import Learned, Neurons
from autoprune.compress.part import Amount, Part, key_of
from autoprune.compress.setting import Setting
from autoprune.errors import InputError
from autoprune.networks.granularity import Differing
from autoprune.networks.place import Place

if TYPE_CHECKING:
    from autoprune.compress.surgery.slif.surgery import SLIFSurgery


def _learned(name: str, means: str, differing: Differing) -> Setting:
    return Setting(
        name=name,
        kinds=("neuron",),
        means=means,
        neutral="fixed",
        words=get_args(Learned),
        differing=differing,
    )


def _start(name: str, means: str) -> Setting:
    return Setting(
        name=name, kinds=("neuron",), means=means, neutral=1.0, low=1e-3, high=1e3, positive=True
    )


@final
class SLIF(Method):
    """What the neurons of a block learn, and from where they start; a part holds it by block."""

    name: ClassVar[str] = "slif"
    stage = "neurons"
    legend = "θ and τ learned per layer, channel or neuron"
    settings = (
        _learned(
            "threshold", "how it is learned: `fixed`, `layer`, `channel`, `neuron`.", "threshold"
        ),
        _learned("tau", "the time constant, alike.", "decay"),
        _start(
            "threshold_start",
            "multiples of the parent's threshold from which it starts, above 0.",
        ),
        _start("tau_start", "multiples of the parent's tau - 1, alike."),
    )

    def part(self, given: Given, before: Left, effort: Effort) -> Part:
        """Without epochs nothing is learned; a block without branches has no neurons."""
        amounts = []
        for index, block in enumerate(before.shape.blocks):
            place = Place(index, "neuron")
            for setting in self.settings:
                value = given.value(place, setting.name)
                if setting.words and not effort.epochs:
                    continue
                if value != setting.neutral and any(branch.size for branch in block.branches):
                    key = key_of(place, setting.name)
                    amounts.append((key, value if setting.words else float(value)))
        return Part.of(self.name, amounts)

    def words(self, amounts: Mapping[str, Amount], place: Place, before: Left) -> str:
        """Such as `` θ/la τ/ch`` where learned, `` θ×0.5`` where it starts elsewhere."""
        neurons = Neurons.of(amounts)
        words = ""
        for letter, learned, start in (
            ("θ", neurons.threshold, neurons.threshold_start),
            ("τ", neurons.tau, neurons.tau_start),
        ):
            word = ("" if learned == "fixed" else f"/{learned[:2]}") + (
                "" if start == 1 else f"×{start:g}"
            )
            words += f" {letter}{word}" if word else ""
        return words

    def check(self, part: Part) -> None:
        """InputError for a setting that neurons do not have, or a value that it does not take."""
        known = {setting.name: setting for setting in self.settings}
        for key, value in part.amounts:
            place, _, name = key.partition("/")
            if name not in known or Place.parse(place).kind != "neuron":
                raise InputError(f"part {self.name}", f"unknown {key!r}", candidates=known)
            known[name].check(value, f"neuron {name}")

    def surgery(self) -> SLIFSurgery:
        """See `autoprune.compress.surgery.slif`."""
        from autoprune.compress.surgery.slif.surgery import SLIFSurgery

        return SLIFSurgery()
