"""The families of networks that ship, by name; adding one is a line here and its file.

Nothing heavy is imported before a network of the family is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from torch import nn

    from autoprune.networks.adapter import ModelAdapter


@dataclass(frozen=True, slots=True)
class Family:
    """A family of networks.

    Attributes:
        network_class: ``module:Class`` of the network; a module that begins with a dot is of this
            room.
        adapter_class: likewise of its `ModelAdapter`.
    """

    network_class: str
    adapter_class: str

    def network(self) -> type[nn.Module]:
        """The class of its networks."""
        found: type[nn.Module] = _named(self.network_class)
        return found

    def adapter(self) -> ModelAdapter:
        """An adapter of its own."""
        found: ModelAdapter = _named(self.adapter_class)()
        return found


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module, __package__), attribute)


_SPIKINGJELLY = "spikingjelly.activation_based.model"

FAMILIES: Final[Mapping[str, Family]] = {
    "maxformer": Family(f"{_SPIKINGJELLY}.maxformer:MaxFormer", ".maxformer:MaxFormerAdapter"),
    "qkformer": Family(f"{_SPIKINGJELLY}.qkformer:QKFormer", ".qkformer:QKFormerAdapter"),
    "spike_driven_transformer": Family(
        f"{_SPIKINGJELLY}.spike_driven_transformer:SpikeDrivenTransformer",
        ".spike_driven:SpikeDrivenAdapter",
    ),
    "spikformer": Family(f"{_SPIKINGJELLY}.spikformer:Spikformer", ".spikformer:SpikformerAdapter"),
    "spikformer_patch": Family(
        ".spikformer_patch:PatchSpikformer", ".spikformer:SpikformerAdapter"
    ),
}
"""Networks by the name that a study gives."""
