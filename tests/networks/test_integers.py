"""Networks of every family in integers: with bits enough they fire as they do in floating point."""

from __future__ import annotations

import copy

import torch
from spikingjelly.activation_based import functional

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.surgery.integers.convert import in_integers
from autoprune.compress.surgery.integers.neuron import FixedNeuron
from autoprune.compress.surgery.rounding import round_weights
from autoprune.networks.adapter import Neuron
from autoprune.workload.census.count import count

WIDE = Arithmetic(
    weight_bits=20,
    state=60,
    fraction=8,
    threshold=45,
    decay=12,
    decay_form="fraction",
    reset="either",
    bias=50,
    bias_exponent=1,
    threshold_per="channel",
    decay_per="channel",
)


def test_with_bits_enough_a_network_fires_as_it_does(case, device):
    network, adapter = case.make()
    network.to(device)
    images = torch.rand(
        3, 2, 16, 16, device=device, generator=torch.Generator(device).manual_seed(0)
    )
    held = in_integers(network, adapter, WIDE, 20, images)
    neurons = [m for m in held.network.modules() if isinstance(m, Neuron)]
    assert held.clipped == 0 and all(isinstance(m, FixedNeuron) for m in neurons)
    rounded = copy.deepcopy(network)
    round_weights(rounded, 20)
    with torch.no_grad():
        wanted, found = rounded(images), held.network(images)
    assert torch.allclose(found, wanted, atol=0.05 * float(wanted.abs().max()))
    functional.reset_net(held.network)
    spikes = [
        sum(op.neurons.rate * op.neurons.count for op in count(one, adapter, images).ops)
        for one in (rounded, held.network)
    ]
    assert spikes[0] > 0 and abs(spikes[1] / spikes[0] - 1) < 0.01
