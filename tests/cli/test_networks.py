"""What is wrong with a study's network is said before anything trains, in one line."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from autoprune.networks.build import build
from tests.refusals import assert_refused, refusals
from tests.short import NETWORK

OFFERED = {"T": 3, "in_channels": 1, "img_size_h": 8, "img_size_w": 8, "num_classes": 10}
BROKEN = """
from own_network import OwnAdapter, OwnFormer, build as right
from spikingjelly.activation_based import neuron
from torch import nn


def wrong_output(T, in_channels, num_classes):
    network = right(T, in_channels, num_classes)
    network.classify = nn.Flatten(0)
    return network


def no_leak(T, in_channels, num_classes):
    network = right(T, in_channels, num_classes)
    network.layers[0].attn.q_lif = neuron.IFNode(step_mode="m")
    return network


def no_time(T, in_channels, num_classes):
    network = right(T, in_channels, num_classes)
    del network.T
    return network


class ByHand(nn.Module):
    def forward(self, x):
        return (x.cumsum(0) > 1).to(x)


def by_hand(T, in_channels, num_classes):
    network = right(T, in_channels, num_classes)
    network.lif = ByHand()
    return network


def crashes(T, in_channels, num_classes):
    raise ZeroDivisionError("my own mistake")


class NoBlocks(OwnAdapter):
    def branches(self, model):
        return ()


class Forgets(OwnAdapter):
    def branches(self, model):
        return tuple(branches[:1] for branches in super().branches(model))[:1]


class WrongAttribute(OwnAdapter):
    def branches(self, model):
        return tuple(model.blocks)


class Unnamed(OwnAdapter):
    def branches(self, model):
        from dataclasses import replace
        found = super().branches(model)
        return tuple(tuple(replace(b, neurons=b.neurons[1:]) for b in bs) for bs in found)
"""


@pytest.fixture
def study(short_study, tmp_path):
    """Writes a study with another network and returns its path."""
    (tmp_path / "broken_networks.py").write_text(BROKEN)
    head = "[network]\ntime_steps = 3"
    return lambda network, after="": short_study((NETWORK, f"{head}\n{network}\n"), after=after)


PATCH = 'model = "spikformer_patch"\nembed_dims = 16\nnum_heads = 2\nmlp_ratio = 2.0\ndepths = 1'
OWN = 'model = "own_network:build"\nadapter = "own_network:OwnAdapter"'


@refusals(
    (PATCH.replace("embed_dims", "embed_dim"), "'embed_dim'; expected one of"),
    (PATCH.replace("num_heads = 2", "num_heads = 3"), "num_heads = 3"),
    ('model = "spikformer"\nembed_dims = 16\nnum_heads = 2', "multiples of its patch of 16"),
    (OWN.replace('Adapter"', 'Adapters"'), "has no attribute 'OwnAdapters'"),
    (OWN.splitlines()[0], "OwnFormer is of no known family"),
    (OWN.replace("own_network:build", "own_networks:build"), "No module named 'own_networks'"),
    (OWN.replace("own_network:build", "broken_networks:wrong_output"), "expected logits"),
    (OWN.replace("own_network:build", "broken_networks:no_leak"), "given a IFNode"),
    (OWN.replace("own_network:build", "broken_networks:no_time"), "attribute T"),
    (OWN.replace("own_network:build", "broken_networks:crashes"), "my own mistake"),
    (
        OWN.replace("own_network:Own", "broken_networks:No").replace("NoAdapter", "NoBlocks"),
        "no blocks found",
    ),
    (OWN.replace("own_network:OwnAdapter", "broken_networks:WrongAttribute"), "'blocks'"),
    (OWN.replace("own_network:OwnAdapter", "broken_networks:Unnamed"), "belong to no branch"),
    (f'{PATCH}\ncheckpoint = "no.pt"', "no.pt: no such file"),
)
def test_what_is_wrong_with_a_network_is_one_line(autoprune, study, tmp_path, given, words):
    said = assert_refused(words, autoprune, "run", study(given), "--dry-run")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.full
def test_a_dry_run_tells_neurons_that_nobody_knows(autoprune, study):
    network = OWN.replace("own_network:build", "broken_networks:by_hand")
    said = autoprune("run", study(network), "--dry-run")
    assert said.code == 0, said.err
    known = " ".join(said.out.split())
    assert "lif: 48 neurons of no known class, found by what they emit" in known


def test_a_checkpoint_takes_the_parents_place(autoprune, study, tmp_path):
    arguments = {"embed_dims": 16, "num_heads": 2, "mlp_ratio": 2.0, "depths": 1}
    torch.manual_seed(0)
    state = build("spikformer_patch", arguments, OFFERED).state_dict()
    save_file(state, tmp_path / "mine.safetensors")
    network = f'{PATCH}\ncheckpoint = "mine.safetensors"'
    assert autoprune("run", study(network), "--dry-run").code == 0
    other = PATCH.replace("embed_dims = 16", "embed_dims = 32")
    assert_refused(
        "mine.safetensors: weights of another network than PatchSpikformer*"
        "other shapes (patch_embed.position is [16, 4, 4], the network's [32, 4, 4]",
        autoprune,
        "run",
        study(f'{other}\ncheckpoint = "mine.safetensors"'),
        "--dry-run",
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there(autoprune, study):
    file = study(PATCH, '[compute]\ndevice = "cuda"')
    assert "torch finds none here" in autoprune("run", file, "--dry-run").out
    said = autoprune("run", file)  # which has begun
    assert said.code == 2
    assert "compute.device: given 'cuda'; torch finds no GPU here" in said.err


@pytest.mark.full
def test_a_network_of_ones_own_runs(autoprune, study, tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path / "cache"))
    said = autoprune("run", study(OWN), "--workers", 0, "--trials", 2, "--out", tmp_path / "out")
    assert said.code == 0, said.err
    assert "2 plans measured" in said.out
