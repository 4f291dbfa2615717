"""Write a network as a NIR file, and prove that the file is the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nir
import torch
from torch import Tensor, nn

from autoprune.compress.surgery.fold import fold
from autoprune.deploy.nir.foreign import spikes_of_spikingjelly
from autoprune.deploy.nir.lower import Lowered, graph_of
from autoprune.deploy.nir.proof import NirProof
from autoprune.deploy.observe import OUTPUT, observe
from autoprune.errors import ExportError, InputError
from autoprune.networks.nir.network import STEP_S, NirNetwork
from autoprune.networks.nir.read import read_graph

_TOLERANCE = 1e-4
"""Error of what the graph returns, relative to the largest; where all before is spikes, which
are equal, what is left is a sum of products in another order."""

CONVENTIONS = {
    "spike": "v > v_threshold, the number of float32 below the threshold of v >= threshold",
    "reset": "hard, to v_reset, after the spike of the same step; v is v_reset before the first",
    "output": "of every step; the network's is their mean",
}
"""What a reader has to know beside NIR's equations; it stands in the graph's metadata."""


def write_nir(
    network: nn.Module,
    inputs: Callable[[int], Tensor],
    file: Path,
    samples: int,
    *,
    extended: bool,
) -> NirProof:
    """Write `network` with batch norm folded, read the file back and run both.

    Args:
        network: with its time steps in an attribute T.
        inputs: gives so many samples, at most, as the network is called with.
        file: to write.
        samples: on which both are run.
        extended: whether nodes that NIR does not have are allowed.

    Raises InputError where NIR does not hold what the network does, and ExportError where a spike
    of the file's graph differs, or an output by more than rounding.
    """
    folded, _ = fold(network, inputs(2))
    lowered = graph_of(folded, inputs)
    if lowered.extended and not extended:
        raise InputError(
            "--nir",
            f"NIR has no primitive for {_kinds(lowered)}",
            "a network without them, or --nir-extension, for readers that know autoprune's nodes",
        )
    graph = nir.NIRGraph(
        dict(lowered.nodes),
        list(lowered.edges),
        metadata={"dt": STEP_S, "time_steps": network.T, **CONVENTIONS},
        type_check=False,  # nir 1.0.8 counts the inputs of a convolution in groups wrongly
    )
    nir.write(file, graph)
    return _proved(network, folded, inputs(samples), file, lowered)


def _kinds(lowered: Lowered) -> str:
    """The extension nodes by type, such as ``AutopruneProduct (4: blocks_0_attn_product, ...)``."""
    found: dict[str, list[str]] = {}
    for name in lowered.extended:
        found.setdefault(type(lowered.nodes[name]).__name__, []).append(name)
    more = {kind: ", ..." if len(names) > 1 else "" for kind, names in found.items()}
    return ", ".join(
        f"{kind} ({len(names)}: {names[0]}{more[kind]})" for kind, names in found.items()
    )


def _proved(
    network: nn.Module, folded: nn.Module, inputs: Tensor, file: Path, lowered: Lowered
) -> NirProof:
    read = NirNetwork(read_graph(file), int(network.T))  # type: ignore[arg-type]
    shown = inputs if inputs.ndim == 5 else inputs.expand(read.T, *inputs.shape)
    before, wanted = observe(network, inputs), observe(folded, inputs)
    found = observe(read, shown)
    for path, name in lowered.neurons.items():
        _equal(wanted[path], found[name], f"network.nir: spikes of {path}")
    mean = found[OUTPUT].mean(0) if wanted[OUTPUT].ndim < found[OUTPUT].ndim else found[OUTPUT]
    difference = float((mean - wanted[OUTPUT]).abs().max())
    if not difference <= _TOLERANCE * max(1.0, float(wanted[OUTPUT].abs().max())):
        raise ExportError(f"network.nir: outputs differ by {difference:.3g}")
    spikes = {path: wanted[path] for path in lowered.neurons}
    foreign = "was not asked, since it knows no extension nodes"
    if not lowered.extended:
        foreign = _foreign(file, shown, {n: found[n] for n in lowered.neurons.values()})
    return NirProof(
        nodes=len(lowered.nodes),
        edges=len(lowered.edges),
        extension_nodes=len(lowered.extended),
        samples=shown.shape[1],
        neuron_layers=len(spikes),
        spikes_compared=sum(values.numel() for values in spikes.values()),
        spikes=sum(int(values.sum()) for values in spikes.values()),
        folding_changed=sum(int((before[path] != spikes[path]).sum()) for path in spikes),
        max_abs_difference=difference,
        spikingjelly=foreign,
    )


def _foreign(file: Path, shown: Tensor, wanted: dict[str, Tensor]) -> str:
    try:
        found = spikes_of_spikingjelly(file, shown, list(wanted))
    except (ValueError, NotImplementedError) as error:  # what its importer says that it lacks
        return f"does not take it ({str(error).splitlines()[0].rstrip('.')})"
    for name, spikes in wanted.items():
        _equal(spikes, found[name], f"network.nir, run by spikingjelly: spikes of {name}")
    return "runs it with the same spikes"


def _equal(wanted: Tensor, found: Tensor, where: str) -> None:
    if not torch.equal(wanted, found.reshape(wanted.shape)):
        differ = int((wanted != found.reshape(wanted.shape)).sum())
        raise ExportError(f"{where} differ in {differ} of {wanted.numel()} places")
