"""What was proved of a NIR file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NirProof:
    """What was found when the file was read back and run beside the network.

    Attributes:
        nodes, edges: of the graph. extension_nodes: of them, those that NIR does not have.
        samples: that both were run on.
        neuron_layers: whose spikes were compared. spikes_compared: neurons times steps and
            samples; all are equal. spikes: that there were.
        folding_changed: spikes of these that folding batch norm changes, by rounding.
        max_abs_difference: of outputs.
        spikingjelly: what its importer does with the file.
    """

    nodes: int
    edges: int
    extension_nodes: int
    samples: int
    neuron_layers: int
    spikes_compared: int
    spikes: int
    folding_changed: int
    max_abs_difference: float
    spikingjelly: str

    def words(self) -> str:
        """What is proved, in a sentence."""
        more = f", {self.extension_nodes} of them autoprune's own" if self.extension_nodes else ""
        return (
            f"network.nir ({self.nodes} nodes{more}) read back and run: {self.spikes} spikes of "
            f"{self.neuron_layers} layers of neurons on {self.samples} validation samples, all "
            "equal to those of the network with batch norm folded, which changes "
            f"{self.folding_changed} of {self.spikes_compared} by rounding; outputs within "
            f"{self.max_abs_difference:.3g}; spikingjelly's importer {self.spikingjelly}"
        )
