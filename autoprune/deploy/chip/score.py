"""What a network scores in a machine's integers."""

from __future__ import annotations

from typing import final

from torch import Tensor, nn

from autoprune.compress.surgery.rounding import round_weights
from autoprune.cost.machine import Machine
from autoprune.deploy.chip.convert import in_integers
from autoprune.deploy.chip.in_integers import InIntegers
from autoprune.deploy.fold import fold
from autoprune.deploy.member import Member
from autoprune.deploy.nir.lower import graph_of
from autoprune.errors import InputError
from autoprune.networks.nir.graph import Graph
from autoprune.networks.nir.network import NirNetwork
from autoprune.trial.trial import score


def score_in_integers(member: Member, machine: Machine) -> InIntegers:
    """What a network of a run scores in the integers of a machine that has an arithmetic.

    Attention is carried out as the network has it: a machine without products of spikes leaves it
    to somebody else. Raises InputError where the network cannot be written as a graph.
    """
    bits = min(member.measurement.plan.weight_bits, machine.weight_bits)
    network, _ = fold(member.network, member.inputs(2))
    round_weights(network, bits)
    lowered = graph_of(network, member.inputs)
    graph = Graph(where=machine.name, nodes=lowered.nodes, edges=lowered.edges)
    held = NirNetwork(graph, member.setup.adapter.time_steps(network))
    try:
        clipped = in_integers(held, machine, bits)
    except InputError as error:
        return InIntegers(machine=machine.name, weight_bits=bits, refused=str(error))
    data, shown = member.setup.data, _Repeated(held)
    return InIntegers(
        machine=machine.name,
        weight_bits=bits,
        validation=score(member.setup, shown, data.validation),
        test=score(member.setup, shown, data.test),
        clipped=clipped,
    )


@final
class _Repeated(nn.Module):
    """A graph's network that is called as the searched one: images are shown T times."""

    time_axis = 0

    def __init__(self, network: NirNetwork) -> None:
        super().__init__()
        self.network, self.T = network, network.T

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] or frames [T, B, C, H, W] -> scores [B, classes]."""
        out = self.network(x if x.ndim == 5 else x.expand(self.T, *x.shape))
        assert isinstance(out, Tensor)
        return out.mean(0)
