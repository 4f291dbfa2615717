"""A machine's integers: Lava's neurons bit for bit, and what is legal of a network's numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.surgery.integers.convert import Held, in_integers
from autoprune.compress.surgery.integers.neuron import Numbers, State, step
from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.cost.fixed_point import FixedPoint
from autoprune.cost.load import load_machine
from autoprune.cost.machine import read_machine
from autoprune.errors import InputError
from autoprune.networks.adapter import Branch, ModelAdapter, NeuronSite

TRACES = json.loads((Path(__file__).parent / "lava_traces.json").read_text())
LOIHI = load_machine("loihi1").machine.arithmetic
assert LOIHI is not None
PER_LAYER = replace(LOIHI, threshold_per="layer", decay_per="layer")


@pytest.mark.oracle
@pytest.mark.parametrize("case", TRACES["cases"], ids=["no_memory", "memory", "overflow"])
def test_neurons_are_lavas_bit_for_bit(case):
    """Traces of lava-nc 0.10.0, made by lava_traces.py: U, V after reset, and spikes."""
    names = ("dv", "vth", "bias_mant", "bias_exp")
    numbers = {name: torch.tensor(case[name], dtype=torch.float64) for name in names}
    own = Numbers(
        du=case["du"],
        dv=numbers["dv"],
        threshold=numbers["vth"],
        bias=numbers["bias_mant"] * 2 ** numbers["bias_exp"],
    )
    zero = torch.zeros_like(own.dv)
    state, found = State(zero, zero), []
    for given in torch.tensor(case["input"], dtype=torch.float64):
        state, spikes = step(LOIHI, state, given, own)
        found.append((state.u.long(), state.v.long(), spikes.long()))
    for name, traces in zip("uvs", zip(*found, strict=True), strict=True):
        assert torch.equal(torch.stack(traces), torch.tensor(case[name])), name
    assert 0 < np.mean(case["s"]) < 1


class Net(nn.Module):
    """One layer, batch norm or none, and its neurons; it shows frames [T, B, in]."""

    T = 6

    def __init__(self, weight: list[list[float]], own: nn.Module, bias: list[float] | None) -> None:
        super().__init__()
        self.layer = nn.Linear(len(weight[0]), len(weight), bias=bias is not None)
        self.layer.weight.data = torch.tensor(weight)
        if bias is not None:
            self.layer.bias.data = torch.tensor(bias)
        self.norm: nn.Module = nn.Identity()
        self.neuron = own

    def forward(self, x: Tensor) -> Tensor:
        return self.neuron(self.norm(self.layer(x).flatten(0, 1)).unflatten(0, x.shape[:2]))


class Adapter(ModelAdapter):
    """Names the one layer of neurons as of one channel per output."""

    def branches(self, model: nn.Module) -> tuple[tuple[Branch, ...], ...]:
        site = NeuronSite(owner=model, name="neuron", channels=(len(model.layer.weight),))
        branch = Branch(
            name="mlp", owner=model, attribute="layer", stand_in=nn.Identity, neurons=(site,)
        )
        return ((branch,),)


def lif(tau: float = 2.0, **changed: object) -> nn.Module:
    return neuron.LIFNode(**{"tau": tau, "step_mode": "m", **changed})


def slif(theta: list[float], tau: float = 2.0, **changed: object) -> SLIFNode:
    node = SLIFNode(lif(tau, **changed), threshold="channel", channels=(len(theta),))
    node.threshold_log.data = torch.tensor(theta).log()
    return node


def net(weight: list[list[float]], own: nn.Module, bias: list[float] | None = None) -> Net:
    return Net(weight, own, bias).eval()


def held(network: nn.Module, arithmetic: Arithmetic = LOIHI, bits: int = 8) -> Held:
    given = spikes(network.layer.in_features)
    return in_integers(network, Adapter(), arithmetic, bits, given)


def numbers(network: nn.Module, arithmetic: Arithmetic = LOIHI) -> Numbers:
    return held(network, arithmetic).network.neuron.numbers


def spikes(count: int) -> Tensor:
    return (torch.rand(6, 8, count, generator=torch.Generator().manual_seed(0)) < 0.4).float()


def test_what_the_grid_holds_exactly_spikes_alike():
    """Weights and thresholds of whole steps, and no more halvings than the fraction has bits."""
    weight, bias = [[127 / 64, -30 / 64, 1.0], [10 / 64, 20 / 64, 127 / 64]], [0.25, -0.125]
    between = 1 / 128  # of a step: it fires above a threshold, and the network where it reaches it
    network = net(weight, slif([(n + between) / 128 for n in (64, 96)]), bias)
    wanted = network(spikes(3))
    found = held(network)
    assert torch.equal(found.network(spikes(3)), wanted) and 0.1 < wanted.mean() < 0.9
    assert (found.clipped, found.numbers) == (0, 4)
    assert found.network.neuron.numbers.threshold.tolist() == [64, 96]


def test_numbers_are_those_of_the_formulas():
    network = net([[2.0, -1.0], [0.5, 0.25]], slif([1.5, 0.9], v_reset=0.1), [0.5, -3.9])
    found, grid = numbers(network), np.array([2.0, 0.5]) / 127
    assert found.du == 4095 and found.dv.tolist() == [2048, 2048]
    assert found.threshold.tolist() == np.rint(2 * np.array([1.4, 0.8]) / grid).tolist()
    exact = 64 * np.array([0.5, -3.9]) / grid
    assert found.bias[0] == round(exact[0])
    assert found.bias[1] == 16 * round(exact[1] / 16) != round(exact[1])  # a mantissa of 13 bits
    input_whole = numbers(net([[2.0, -1.0], [0.5, 0.25]], slif([1.5, 0.9], decay_input=False)))
    assert input_whole.threshold.tolist() == np.rint(np.array([1.5, 0.9]) / grid).tolist()
    only_sums = numbers(net([[1.0]], neuron.IFNode(step_mode="m")))
    assert (only_sums.dv.tolist(), only_sums.threshold.tolist()) == ([0], [127])


def test_batch_norm_is_part_of_the_grid():
    network = net([[2.0, -1.0], [0.5, 0.25]], lif(), [0.5, -4.0])
    network.norm = nn.BatchNorm1d(2, eps=1e-12).eval()
    network.norm.weight.data = torch.tensor([3.0, -0.5])
    network.norm.running_mean = torch.tensor([0.25, 0.0])
    found = numbers(network)
    assert found.threshold.tolist() == [round(2 * 127 / 6), round(2 * 127 / 0.25)]
    assert found.bias[0] == round(64 * 0.75 * 127 / 6)


def test_a_channel_without_a_weight_fires_by_its_bias():
    """L1P leaves such channels; a step of 1 would round their thresholds to 2 and 3."""
    network = net([[0.0, 0], [0, 0]], lif(v_threshold=1.25 / 2), [1.3, 1.2])
    wanted = network(spikes(2))
    assert wanted[..., 0].all() and not wanted[0, :, 1].any()
    assert torch.equal(held(network).network(spikes(2)), wanted)


def test_what_does_not_fit_is_clipped_and_counted():
    found = held(net([[1e-4] * 3] * 2, lif(), [1e3, 0.0]))
    own = found.network.neuron.numbers
    assert own.threshold.tolist() == [2**17 - 1] * 2
    assert found.clipped == 3 and own.bias[0] == 4095 * 2**7
    strong = held(net([[1e3] * 3] * 2, lif()))  # as behind batch norm of a silent channel
    assert strong.clipped == 2
    assert strong.network.neuron.numbers.threshold.tolist() == [1, 1]


def test_finer_numbers_than_the_machine_has_are_joined():
    """One per neuron of a channel, and one per channel where the machine has one per layer."""
    weight = [[1.0, 0], [0, 0.5]]
    per_channel, per_layer = (numbers(net(weight, slif([1.0, 3.0])), a) for a in (LOIHI, PER_LAYER))
    assert per_channel.threshold.tolist() == [2 * 127, 6 * 254]
    assert per_layer.threshold.tolist() == [4 * 127] * 2  # and weights on one grid
    rounded = held(net([[1.0, 0], [0, 0.4999]], lif()), PER_LAYER).network.layer.weight
    assert rounded[1, 1].item() == pytest.approx(63 / 127)


@pytest.mark.parametrize(("tau", "given"), [(1e5, "100000 steps"), (1.0001, "1.0001 steps")])
def test_a_decay_without_a_legal_value_is_refused(tau, given):
    with pytest.raises(InputError, match=rf"tau is {given}; expected .* 1 to 4095 parts of 4096"):
        held(net([[1.0]], lif(tau)))


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (neuron.EIFNode(step_mode="m"), "neurons neuron: EIFNode; expected IFNode, "),
        (lif(v_reset=None), "neuron: a threshold taken off V by a spike; expected V set"),
    ],
)
def test_neurons_that_the_machine_does_not_have_are_named(own, words):
    with pytest.raises(InputError, match=words):
        held(net([[1.0]], own))


def test_neurons_behind_no_weights_have_steps_of_their_threshold():
    class Scaled(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.neuron(self.layer(x) * 0.3)

    network = Scaled([[1.0, 0.5]], lif(), None).eval()
    assert numbers(network).threshold.tolist() == [4095]  # fires where V reaches it


SHIFT = replace(LOIHI, state=16, fraction=0, threshold=15, decay=4, decay_form="shift", bias=16)


def test_a_decay_may_be_a_shift_and_a_reset_a_subtraction():
    """V loses a quarter, rounded down, and the threshold where it is above."""
    found = held(net([[1.0]], lif(4.0, v_reset=None)), replace(SHIFT, reset="subtraction"))
    own = found.network.neuron.numbers
    assert (own.dv.tolist(), own.threshold.tolist(), own.subtracts) == ([2], [4 * 127], True)
    traces, state = [], State(torch.zeros(1), torch.zeros(1))
    for given in (-6, 500, 20, 0):
        state, fired = step(found.arithmetic, state, torch.tensor([given]), own)
        traces.append((int(state.v), bool(fired)))
    assert traces == [(-6, False), (496, False), (392, False), (294, False)]
    state, fired = step(found.arithmetic, state, torch.tensor([400]), own)
    assert (int(state.v), bool(fired)) == (221 + 400 - 508, True)


def test_a_machine_without_decay_holds_neurons_that_add_up():
    none = replace(SHIFT, decay=0, decay_form="none", reset="either")
    assert held(net([[1.0]], neuron.IFNode(step_mode="m")), none).clipped == 0
    with pytest.raises(InputError, match="tau is 2 steps; expected no decay"):
        held(net([[1.0]], lif()), none)
    with pytest.raises(InputError, match=r"tau is 1e\+06 steps; expected .* of 2\^-1 to 2\^-15"):
        held(net([[1.0]], lif(1e6)), replace(SHIFT, reset="either"))


def test_an_arithmetic_that_contradicts_itself_is_refused(root, tmp_path):
    line = {"evidence": "specified", "source": "a data sheet"}
    bits = {"state": 23, "fraction": 6, "threshold": 17, "bias": 13, "bias_exponent": 3}
    own = {name: {"bits": count, **line} for name, count in bits.items()}
    own |= {"reset": {"word": "zero", **line}, "decay": {"form": "shift", "bits": 4, **line}}
    with pytest.raises(ValidationError, match="a state of 23 bits; expected at least 24"):
        FixedPoint(**own)
    own["decay"]["form"] = "none"
    with pytest.raises(ValidationError, match="4 bits of the form 'none'; expected 0"):
        FixedPoint(**own)
    text = (root / "cost_models" / "loihi1.toml").read_text()
    (tmp_path / "chip.toml").write_text(text.replace("weight_bits = 8", "weight_bits = 19"))
    with pytest.raises(InputError, match="24 bits for weights of 19; expected at least 25"):
        read_machine(tmp_path / "chip.toml")


def test_a_file_from_before_decays_had_forms_is_read(root, tmp_path):
    """A run's own copy of it, too."""
    lines = (root / "cost_models" / "loihi1.toml").read_text().replace('form = "fraction", ', "")
    text = "\n".join(line for line in lines.splitlines() if not line.startswith("reset = "))
    (tmp_path / "chip.toml").write_text(text)
    assert read_machine(tmp_path / "chip.toml").arithmetic == LOIHI
