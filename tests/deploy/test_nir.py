"""NIR out: the file is read back and run, and every spike is the network's."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nir
import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional, layer, neuron
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.deploy.nir import write
from autoprune.deploy.nir.nodes import NotHeld, neuron_node
from autoprune.deploy.nir.write import write_nir
from autoprune.errors import ExportError, InputError
from autoprune.networks.build import adapter_for, build
from autoprune.networks.nir.network import STEP_S, NirNetwork
from autoprune.networks.nir.neurons import NirNeuron
from autoprune.networks.nir.read import read_graph
from autoprune.networks.stand_in import Removed
from autoprune.workload.census.count import count

from .conftest import FAMILIES, OFFERED


def firing(family: str) -> nn.Module:
    """A network of a family whose batch norm lets it fire."""
    model, arguments, _ = FAMILIES[family]
    torch.manual_seed(3)
    network = build(model, arguments, OFFERED)
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            assert module.running_var is not None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, 0.0, 2.0)
            nn.init.uniform_(module.running_var, 0.02, 0.1)
    return network.eval()


def samples(count: int) -> Tensor:
    return torch.rand(8, 2, 16, 16, generator=torch.Generator().manual_seed(1))[:count]


def bright(count: int) -> Tensor:
    return 3 * samples(count)


class Plain(nn.Module):
    """What spikingjelly's importer knows: no sums, one number for all neurons of a layer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T = 4
        self.conv = layer.Conv2d(2, 8, 3, padding=1)
        self.norm = layer.BatchNorm2d(8)
        self.first = neuron.LIFNode(tau=2.0)
        self.pool = layer.AvgPool2d(4)
        self.second = neuron.IFNode(v_threshold=0.5)
        self.head = layer.Linear(8 * 16, 10)
        self.third = neuron.ParametricLIFNode(init_tau=3.0, decay_input=False, v_threshold=0.1)
        functional.set_step_mode(self, "m")

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> spikes [T, B, classes]."""
        x = self.first(self.norm(self.conv(x.unsqueeze(0).expand(self.T, *x.shape))))
        return self.third(self.head(self.second(self.pool(x)).flatten(2)))


def test_spikingjelly_runs_the_file_with_the_same_spikes(tmp_path):
    proof = write_nir(Plain().eval(), bright, tmp_path / "a.nir", 8, extended=False)
    assert proof.spikingjelly == "runs it with the same spikes"
    assert (proof.neuron_layers, proof.spikes_compared) == (3, 4 * 8 * (8 * 256 + 8 * 16 + 10))
    assert proof.spikes > 1000 and proof.max_abs_difference == 0
    graph = nir.read(tmp_path / "a.nir")
    assert {type(node).__name__ for node in graph.nodes.values()} >= {"Conv2d", "LIF", "IF"}
    assert graph.metadata["time_steps"] == 4 and "float32 below" in graph.metadata["spike"]


@pytest.mark.parametrize(
    "family",
    [
        "spikformer_patch",
        "sdt",
        *(
            pytest.param(family, marks=pytest.mark.full)
            for family in ("spikformer", "qkformer_token", "qkformer_channel", "maxformer_cifar")
        ),
    ],
)
def test_networks_with_attention_need_extension_nodes(family, tmp_path):
    network, file = firing(family), tmp_path / "a.nir"
    with pytest.raises(InputError, match=r"no primitive for .*AutopruneProduct \(4: .*extension"):
        write_nir(network, samples, file, 8, extended=False)
    assert not file.exists()
    proof = write_nir(network, samples, file, 8, extended=True)
    neurons = [m for m in network.modules() if isinstance(m, neuron.BaseNode)]
    assert proof.neuron_layers == len(neurons)
    assert proof.spikes > 1000 and proof.max_abs_difference < 1e-5
    ours = count(network, adapter_for(network, None), samples(8))
    shown = samples(8).unsqueeze(1).expand(-1, 3, -1, -1, -1)
    theirs = count(NirNetwork(read_graph(file), 3).eval(), None, shown, 3)
    # NIR's mean over tokens is a convolution, and what it gives to the head is in units of a whole
    # channel's values, which may be 2 of ours.
    [head], [mean, their_head] = ours.ops[-1:], theirs.ops[-2:]
    assert (head.name, mean.name, their_head.name) == ("head", "mean", "head")
    assert 0 < their_head.work.effective_sops <= head.work.effective_sops
    wanted, found = (
        Counter((op.sizes.k, op.work.effective_sops) for op in ops)
        for ops in (ours.ops[:-1], theirs.ops[:-2])
    )
    assert wanted == found
    fired = [sum(op.neurons.output_spikes for op in one.ops) for one in (ours, theirs)]
    assert fired[0] == fired[1] > 1000
    with pytest.raises(AssertionError):  # a reader that knows no extension refuses the file
        nir.read(file)


def test_without_attention_there_are_primitives_alone_and_the_counts_are_the_networks(tmp_path):
    network, file = firing("spikformer_patch"), tmp_path / "a.nir"
    adapter = adapter_for(network, None)
    for block in network.blocks:
        block.attn = Removed()
        lif = block.mlp.neuron1
        block.mlp.neuron1 = SLIFNode(lif, threshold="channel", tau="channel", channels=(24, 1))
        nn.init.normal_(block.mlp.neuron1.threshold_log, std=0.3)
        nn.init.normal_(block.mlp.neuron1.decay_logit, std=0.3)
    functional.invalidate_reset_cache(network)
    proof = write_nir(network, samples, file, 8, extended=False)
    assert proof.extension_nodes == 0 and proof.spikes > 1000
    assert proof.spikingjelly.startswith("does not take it (")  # one number per layer
    graph = read_graph(file)
    assert len(set(graph.nodes["blocks_0_mlp_neuron1"].tau[:, 0])) == 24
    ours = count(network, adapter, samples(8))
    shown = samples(8).unsqueeze(1).expand(-1, 3, -1, -1, -1)
    theirs = count(NirNetwork(graph, 3).eval(), None, shown, 3)

    def layers(found):
        """Everything but the head, in front of which NIR's mean over tokens is a convolution."""
        return [(op.sizes.k, op.work.effective_sops, op.neurons.output_spikes) for op in found[:-1]]

    assert layers(ours.ops) == layers(theirs.ops[:-1])
    assert ours.ops[0].work.dense_macs == theirs.ops[0].work.dense_macs > 0


def test_a_file_that_is_another_network_is_no_export(tmp_path, monkeypatch):
    kept = write.graph_of

    def other(*given):
        found = kept(*given)
        found.nodes["first"].v_threshold += 0.05
        return found

    monkeypatch.setattr(write, "graph_of", other)
    with pytest.raises(ExportError, match=r"network.nir: spikes of first differ in \d+ of \d+"):
        write_nir(Plain().eval(), bright, tmp_path / "a.nir", 8, extended=False)


@pytest.mark.parametrize(
    "made",
    [
        neuron.LIFNode(tau=2.0),
        neuron.LIFNode(tau=2.0, decay_input=False, v_threshold=0.75),
        neuron.IFNode(v_threshold=1.5),
        neuron.LIFNode(tau=4.0, v_reset=0.25),
        SLIFNode(neuron.LIFNode(tau=2.0), threshold="layer"),
    ],
    ids=["lif", "undecayed", "if", "reset", "slif"],
)
def test_neurons_fire_alike_where_the_potential_is_the_threshold(made):
    """Inputs are multiples of 1/4, so that potentials often are the threshold itself."""
    functional.set_step_mode(made, "m")
    draw = torch.Generator().manual_seed(0)
    x = torch.randint(0, 13, (6, 4, 50), generator=draw) / 4
    with torch.no_grad():
        wanted = made(x)
    assert torch.equal(NirNeuron(neuron_node(made, (50,), None), STEP_S)(x), wanted)
    above = neuron_node(made, (50,), None)
    above.v_threshold = np.nextafter(above.v_threshold, np.float32(np.inf))  # theta itself
    assert not torch.equal(NirNeuron(above, STEP_S)(x), wanted)


@pytest.mark.parametrize("decays", [True, False])
def test_a_constant_that_neurons_take_is_where_they_leak_to(decays):
    lif = neuron.LIFNode(tau=2.0, decay_input=decays, step_mode="m")
    constant = np.linspace(-0.5, 1, 7)
    x = torch.rand(6, 4, 7, generator=torch.Generator().manual_seed(0))
    wanted = lif(x + torch.tensor(constant, dtype=torch.float32))
    assert torch.equal(NirNeuron(neuron_node(lif, (7,), constant), STEP_S)(x), wanted)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (neuron.LIFNode(v_reset=None), "soft reset"),
        (neuron.KLIFNode(), "neurons KLIFNode; written are IFNode, LIFNode, ParametricLIFNode"),
    ],
)
def test_neurons_that_nir_does_not_hold(made, said):
    with pytest.raises(NotHeld, match=said):
        neuron_node(made, (3,), None)


class Odd(Plain):
    """A network of which one thing is not NIR's."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [T, B, ...]."""
        x = self.norm(self.conv(x.unsqueeze(0).expand(self.T, *x.shape)))
        odd = {
            "exp": lambda: self.first(x).exp(),
            "square": lambda: x * x,
            "constant": lambda: self.pool(x + 1),
            "twice": lambda: self.first(x) + self.first(x),
            "factor": lambda: torch.add(x, self.first(x), alpha=2),
            "early": lambda: self.first(x.mean(0).unsqueeze(0)),
            "norm": lambda: self.norm(self.first(x)),
            "middle": lambda: x.mean(2),
        }
        return odd[self.what]()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("exp", "--nir: network: exp: neither NIR nor an extension node holds it"),
        ("square", "multiplies a signal by itself"),
        ("constant", "a constant is added to the input of pool; only neurons take one"),
        ("twice", "--nir: first: neurons that are called twice"),
        ("factor", "adds what has another shape, or a factor"),
        ("early", "reads a mean over time"),
        ("norm", "batch norm that cannot be folded"),
        ("middle", "a mean that is neither over time nor over the last axes"),
    ],
)
def test_what_nir_does_not_hold_is_named(what, said, tmp_path):
    with pytest.raises(InputError, match=said):
        write_nir(Odd(what).eval(), samples, Path(tmp_path / "a.nir"), 8, extended=True)
