"""What would fail in every trial fails before any."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from autoprune.compress.domain import Domain
from autoprune.compress.parameter import Parameter
from autoprune.compress.surgery.apply import Manner
from autoprune.errors import CompressionError
from autoprune.networks.place import MODEL
from autoprune.networks.spikformer import SpikformerAdapter
from autoprune.trial.smoke_test import smoke_test

IMAGES = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
STEPS = Parameter(MODEL, "time_steps")
EVENTS = torch.ones(2, 6, 1, 8, 8)


def test_a_sound_network_is_left_as_it_was(network, adapter, effort):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    space = {
        Parameter.parse("blocks.0.mlp.dsp"): Domain(values=[0.0, 0.25, 1.0]),
        Parameter.parse("blocks.0.neuron.tau"): Domain(values=["fixed", "channel"]),
        STEPS: Domain(values=[1, 2]),
    }
    assert smoke_test(network, adapter, space, effort, Manner(samples=IMAGES)) == adapter.shape(
        network
    )
    assert network.T == 3
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_time_steps_have_to_divide_the_frames_of_events(network, adapter, effort):
    smoke_test(network, adapter, {STEPS: Domain(values=[1, 2, 3])}, effort, Manner(samples=EVENTS))
    with pytest.raises(CompressionError, match="6 frames of events for 4 time steps"):
        smoke_test(network, adapter, {STEPS: Domain(values=[2, 4])}, effort, Manner(samples=EVENTS))


class Moves(SpikformerAdapter.__base__):  # type: ignore[misc, name-defined]
    """An adapter whose forward pass of its own computes something else."""

    def branches(self, model):
        from dataclasses import replace

        return tuple(
            (replace(first, local=Other), *rest)
            for first, *rest in SpikformerAdapter().branches(model)
        )


class Other(nn.Module):
    def forward(self, x):
        return torch.ones_like(x)


def test_an_own_forward_pass_that_computes_something_else(network, effort):
    with pytest.raises(CompressionError, match="a neutral plan changes what the network computes"):
        smoke_test(network, Moves(), {}, effort, Manner(samples=IMAGES))
