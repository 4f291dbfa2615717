"""What would fail in every trial fails before any."""

from __future__ import annotations

import copy

import pytest
import torch
from spikingjelly.activation_based.model.spikformer import SpikformerMLP
from torch import nn

from autoprune.compress.domain import Domain
from autoprune.compress.parameter import Parameter
from autoprune.compress.surgery.apply import Manner
from autoprune.errors import CompressionError
from autoprune.networks.place import MODEL
from autoprune.networks.spikformer import SpikformerAdapter
from autoprune.trial.smoke_test import smoke_test
from tests.refusals import assert_refused

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
    tested = smoke_test(network, adapter, space, effort, Manner(samples=IMAGES))
    shape, workload = tested.shape, tested.workload
    assert shape == adapter.shape(network)
    assert workload.samples == 1
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


class ReadsItsFirstSize(SpikformerMLP):
    def forward(self, x):
        if self.fc1[0].out_channels != 24:
            raise RuntimeError("shape [24] is invalid")
        return super().forward(x)


def test_a_form_that_does_not_run_is_said_with_place_module_line_and_plan(network, effort):
    space = {
        Parameter.parse("blocks.1.mlp.dsp"): Domain(values=[0.25, 1.0]),
        Parameter.parse("blocks.1.mlp.l1p"): Domain(values=[0.0, 0.5]),
        Parameter.parse("blocks.0.attention.l1p"): Domain(values=[0.0, 0.5]),
    }
    own = copy.deepcopy(network)
    for block in own.blocks:
        block.mlp.__class__ = ReadsItsFirstSize
    said = assert_refused(
        "once it is compressed: with blocks.1.mlp.dsp = 0.25 alone: blocks.1.mlp: blocks.1.mlp "
        "(ReadsItsFirstSize): RuntimeError: shape [24] is invalid, at test_smoke_test.py:*: raise "
        'RuntimeError("shape*; expected lines that read the sizes that are left',
        smoke_test,
        own,
        SpikformerAdapter(),
        space,
        effort,
        Manner(samples=IMAGES),
        by=CompressionError,
    )
    assert "l1p" not in said
    assert not [n for m in own.modules() for n in (*m._forward_hooks, *m._forward_pre_hooks)]
