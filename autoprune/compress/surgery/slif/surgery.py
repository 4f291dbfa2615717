"""sLIF in place of the neurons of a network, and what is known of it afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any, final

import torch
from torch import Tensor, nn

from autoprune.compress.neurons import Neurons
from autoprune.compress.part import Part
from autoprune.compress.surgery.shown import show
from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.compress.surgery.slif.plain import PlainSLIF
from autoprune.compress.surgery.surgery import Subject, Surgery
from autoprune.errors import CompressionError, InputError
from autoprune.networks.adapter import NeuronSite
from autoprune.networks.place import Place

Shapes = Mapping[nn.Module, tuple[int, ...]]
"""The neurons of one sample, by the module that holds them."""


@final
class SLIFSurgery(Surgery):
    """Puts sLIF in place of the neurons of every block that the part names."""

    def reshape(self, subject: Subject, part: Part) -> None:
        """Exchange the neurons; how many there are of each, a pass over a sample tells."""
        blocks = [
            (Neurons.of(part.at(Place(index, "neuron"))), [s for b in branches for s in b.neurons])
            for index, branches in enumerate(subject.adapter.branches(subject.network))
        ]
        single = [site for neurons, sites in blocks if neurons.single for site in sites]
        shapes: Shapes = {}
        if single and subject.samples is not None:
            shapes = shapes_of(subject.network, single, subject.samples[:1])
        random = torch.Generator().manual_seed(subject.seed)
        for index, (neurons, sites) in enumerate(blocks):
            try:
                swap(sites, neurons, shapes, random)
            except CompressionError as error:
                raise CompressionError(f"{Place(index, 'neuron')}: {error}") from error
        device = next(subject.network.parameters()).device
        for node in _nodes(subject.network).values():
            node.to(device)

    def learned(self, network: nn.Module) -> list[nn.Parameter]:
        """Everything that neurons learn."""
        return [p for node in _nodes(network).values() for p in node.parameters(recurse=False)]

    def starts(self, network: nn.Module) -> dict[str, dict[str, float]]:
        """What neurons start from, which may come from a parent's learned neurons."""
        return {
            path: {"v_threshold": node.v_threshold, "decay_start": node.decay_start}
            for path, node in _nodes(network).items()
        }

    def restart(self, network: nn.Module, starts: Mapping[str, Mapping[str, float]]) -> None:
        """Let neurons start from what `starts` gave."""
        nodes = _nodes(network)
        for path, start in starts.items():
            if path not in nodes:
                raise InputError("starts", f"{path} is no sLIF", candidates=nodes)
            nodes[path].v_threshold = start["v_threshold"]
            nodes[path].decay_start = start["decay_start"]

    def plain(self, module: Any) -> nn.Module | None:
        """The loop over the steps of a neuron, as plain operations."""
        if not isinstance(module, SLIFNode):
            return None
        return PlainSLIF(module.threshold, module.decay, module.dynamics)


def _nodes(network: nn.Module) -> dict[str, SLIFNode]:
    return {p: node for p, node in network.named_modules() if isinstance(node, SLIFNode)}


def swap(
    sites: Iterable[NeuronSite],
    plan: Neurons,
    shapes: Shapes | None = None,
    random: torch.Generator | None = None,
) -> None:
    """Put sLIF in place of the neurons at `sites`, in place; nothing where the plan keeps them.

    Args:
        sites: where they stand.
        plan: what they learn.
        shapes: how many there are, where any learn one by one.
        random: see `SLIFNode`.

    The caller invalidates spikingjelly's list of modules to reset. Raises what `SLIFNode` does,
    with the name of the neurons.
    """
    if plan.is_lif:
        return
    for site in sites:
        before = getattr(site.owner, site.name)
        try:
            node = SLIFNode(
                before,
                threshold=plan.threshold,
                tau=plan.tau,
                channels=site.channels,
                neurons=(shapes or {}).get(before),
                random=random,
                threshold_start=plan.threshold_start,
                tau_start=plan.tau_start,
            )
        except CompressionError as error:
            where = f"{site.name!r} of {type(site.owner).__name__}"
            raise CompressionError(f"{where}: {error}, or nothing that neurons learn") from error
        setattr(site.owner, site.name, node)


def shapes_of(network: nn.Module, sites: Iterable[NeuronSite], samples: Tensor) -> Shapes:
    """The neurons at `sites` when the network runs on samples [B, ...], which it does once.

    Raises CompressionError where neurons are used for inputs of different sizes.
    """
    shapes: dict[nn.Module, tuple[int, ...]] = {}

    def note(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        size = tuple(given[0].shape[2:])
        if shapes.setdefault(module, size) != size:
            raise CompressionError(
                f"sLIF per neuron: the same neurons run on {list(shapes[module])} and on "
                f"{list(size)}; expected inputs of one size"
            )

    with ExitStack() as stack:
        for site in sites:
            before = getattr(site.owner, site.name)
            stack.callback(before.register_forward_pre_hook(note).remove)
        show(network, samples)
    return shapes
