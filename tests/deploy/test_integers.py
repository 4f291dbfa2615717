"""A machine's integers: Lava's neurons bit for bit, and what is legal of a network's numbers."""

from __future__ import annotations

import json
from pathlib import Path

import nir
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from autoprune.cost.fixed_point import FixedPoint
from autoprune.cost.load import load_machine
from autoprune.cost.machine import read_machine
from autoprune.deploy.chip.convert import in_integers
from autoprune.deploy.chip.neuron import Numbers, State, step
from autoprune.errors import InputError
from autoprune.networks.nir.graph import Graph
from autoprune.networks.nir.network import STEP_S, NirNetwork

TRACES = json.loads((Path(__file__).parent / "lava_traces.json").read_text())
LOIHI = load_machine("loihi1").machine


@pytest.mark.oracle
@pytest.mark.parametrize("case", TRACES["cases"], ids=["no_memory", "memory", "overflow"])
def test_neurons_are_lavas_bit_for_bit(case):
    """Traces of lava-nc 0.10.0, made by lava_traces.py: U, V after reset, and spikes."""
    numbers = {name: torch.tensor(case[name]) for name in ("dv", "vth", "bias_mant", "bias_exp")}
    own = Numbers(
        du=case["du"],
        dv=numbers["dv"],
        threshold=numbers["vth"],
        bias=numbers["bias_mant"] << numbers["bias_exp"],
    )
    zero = torch.zeros_like(own.dv)
    state, found = State(zero, zero), []
    for given in torch.tensor(case["input"]):
        after, spikes = step(LOIHI.arithmetic, state, given, own)
        state = State(after.u, after.v * ~spikes)
        found.append((state.u, state.v, spikes.long()))
    for name, traces in zip("uvs", zip(*found, strict=True), strict=True):
        assert torch.equal(torch.stack(traces), torch.tensor(case[name])), name
    assert 0 < np.mean(case["s"]) < 1


def network(weight: np.ndarray, bias: np.ndarray | None = None, **changed) -> NirNetwork:
    """One layer and its LIF neurons."""
    size = len(weight)
    ones = np.ones(size)
    lif = {"tau": 2 * STEP_S * ones, "r": ones, "v_leak": 0 * ones, "v_threshold": ones}
    nodes = {
        "in": nir.Input(np.array([weight.shape[1]])),
        "w": nir.Linear(weight) if bias is None else nir.Affine(weight, bias),
        "n": nir.LIF(**{**lif, **changed}),
        "out": nir.Output(np.array([size])),
    }
    edges = (("in", "w"), ("w", "n"), ("n", "out"))
    return NirNetwork(Graph(where="g", nodes=nodes, edges=edges), 20)


def spikes(count: int) -> torch.Tensor:
    return (torch.rand(20, 8, count, generator=torch.Generator().manual_seed(0)) < 0.4).float()


def test_what_the_grid_holds_exactly_spikes_alike():
    """Weights and thresholds of whole steps, and no more halvings than the fraction has bits."""
    weight = np.array([[127, -30, 64], [10, 20, 127]]) / 64
    bias = np.array([0.25, -0.125])
    numbers = {"v_threshold": np.array([0.5, 0.75])}
    given = spikes(3)[:6]
    wanted = network(weight, bias, **numbers)(given)
    held = network(weight, bias, **numbers)
    clipped = in_integers(held, LOIHI, 8)
    assert torch.equal(held(given), wanted) and 0.1 < wanted.mean() < 0.9
    assert (clipped.clipped, clipped.all) == (0, 4)


def test_numbers_are_those_of_the_formulas():
    weight = np.array([[2.0, -1.0], [0.5, 0.25]])
    held = network(
        weight,
        np.array([0.5, -4.0]),
        tau=np.array([2.0, 4.0]) * STEP_S,
        v_leak=np.array([0.0, 0.2]),
        v_reset=np.array([0.0, 0.1]),
        v_threshold=np.array([1.5, 0.9]),
    )
    in_integers(held, LOIHI, 8)
    own = held.modules_of["n"].own
    grid = np.array([2.0, 0.5]) / 127
    assert own.du == 4095 and own.dv.tolist() == [2048, 1024]
    assert own.threshold.tolist() == np.rint(np.array([3.0, 3.2]) / grid).tolist()
    exact = 64 * np.array([0.5, 0.1 - 4.0]) / grid
    assert own.bias[0] == round(exact[0])
    assert own.bias[1] == 16 * round(exact[1] / 16) != round(exact[1])  # a mantissa of 13 bits
    assert max(abs(own.bias[1] - exact[1]), 0) <= 8


def test_a_channel_without_a_weight_fires_by_its_bias():
    """L1P leaves such channels; a step of 1 would round their thresholds to 2 and 3."""
    weight, bias = np.array([[0.0, 0], [0, 0]]), np.array([1.3, 1.2])
    numbers = {"v_threshold": np.array([1.25, 1.25])}
    held = network(weight, bias, **numbers)
    in_integers(held, LOIHI, 8)
    wanted = network(weight, bias, **numbers)(spikes(2))
    assert torch.equal(held(spikes(2)), wanted) and wanted[..., 0].any()
    assert not wanted[..., 1].any()


def test_what_does_not_fit_is_clipped_and_counted():
    held = network(np.full((2, 3), 1e-4), np.array([1e3, 0.0]))
    clipped = in_integers(held, LOIHI, 8)
    assert held.modules_of["n"].own.threshold.tolist() == [2**17 - 1] * 2
    assert clipped.clipped == 3 and held.modules_of["n"].own.bias[0] == 4095 * 2**7
    strong = network(np.full((2, 3), 1e3))  # as behind batch norm of a channel that was silent
    assert in_integers(strong, LOIHI, 8).clipped == 2
    assert strong.modules_of["n"].own.threshold.tolist() == [1, 1]


def test_finer_numbers_than_the_machine_has_are_joined():
    """One per neuron of a channel: the mean. One per channel, as loihi1 has it, stays."""
    size = (2, 3)
    lif = nir.LIF(
        tau=np.full(size, 2 * STEP_S),
        r=np.ones(size),
        v_leak=np.zeros(size),
        v_threshold=np.array([[1.0, 2, 3], [4, 4, 4]]),
    )
    convolution = nir.Conv1d(3, np.ones((2, 1, 1)), 1, 0, 1, 1, np.zeros(2))
    nodes = {"in": nir.Input(np.array([1, 3])), "w": convolution, "n": lif}
    nodes["out"] = nir.Output(np.array(size))
    edges = (("in", "w"), ("w", "n"), ("n", "out"))
    held = NirNetwork(Graph(where="g", nodes=nodes, edges=edges), 1)
    in_integers(held, LOIHI, 8)
    assert held.modules_of["n"].own.threshold.tolist() == [[4 * 127] * 3, [8 * 127] * 3]


@pytest.mark.parametrize(("tau", "given"), [(1e5, "100000 steps"), (1.0001, "1.0001 steps")])
def test_a_decay_without_a_legal_value_is_refused(tau, given):
    held = network(np.ones((1, 1)), tau=np.array([tau * STEP_S]))
    with pytest.raises(InputError, match=rf"tau is {given}; expected .* 1 to 4095 parts of 4096"):
        in_integers(held, LOIHI, 8)


def test_neurons_that_the_machine_does_not_have_are_named():
    nodes = {"in": nir.Input(np.array([1])), "n": nir.I(np.ones(1)), "o": nir.Output(np.array([1]))}
    held = NirNetwork(Graph(where="g", nodes=nodes, edges=(("in", "n"), ("n", "o"))), 1)
    with pytest.raises(InputError, match="loihi1: node 'n': neurons I; expected LIF or IF"):
        in_integers(held, LOIHI, 8)


def test_an_arithmetic_that_contradicts_itself_is_refused(root, tmp_path):
    line = {"evidence": "specified", "source": "a data sheet"}
    bits = {"state": 23, "fraction": 6, "threshold": 17, "decay": 12, "bias": 13}
    bits["bias_exponent"] = 3
    with pytest.raises(ValidationError, match="a state of 23 bits; expected at least 24"):
        FixedPoint(**{name: {"bits": count, **line} for name, count in bits.items()})
    text = (root / "cost_models" / "loihi1.toml").read_text()
    (tmp_path / "chip.toml").write_text(text.replace("weight_bits = 8", "weight_bits = 19"))
    with pytest.raises(InputError, match="24 bits for weights of 19; expected at least 25"):
        read_machine(tmp_path / "chip.toml")
