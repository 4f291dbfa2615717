"""Published checkpoints: every name of theirs finds its place, and the functions stay the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from autoprune.errors import InputError
from autoprune.networks.build import build
from autoprune.networks.checkpoint import load_checkpoint
from autoprune.networks.key_map import load_key_map

# Modules of the published code, in its order, for D = 16, two blocks, four classes, three channels:
# ``name kind``, a kind with its sizes [out, in]. Spikformer: github.com/ZK-Zhou/spikformer,
# cifar10/model.py and imagenet/model.py (SPS, Block, SSA, MLP). Spike-driven Transformer:
# github.com/BICLab/Spike-Driven-Transformer, module/sps.py, module/ms_conv.py.
STEM = """
patch_embed.proj_conv conv3 2 3
patch_embed.proj_bn bn 2
patch_embed.proj_conv1 conv3 4 2
patch_embed.proj_bn1 bn 4
patch_embed.proj_conv2 conv3 8 4
patch_embed.proj_bn2 bn 8
patch_embed.proj_conv3 conv3 16 8
patch_embed.proj_bn3 bn 16
patch_embed.rpe_conv conv3 16 16
patch_embed.rpe_bn bn 16
"""
SPIKFORMER_CIFAR = """
norm1 ln 16
attn.q_linear linear 16 16
attn.q_bn bn 16
attn.k_linear linear 16 16
attn.k_bn bn 16
attn.v_linear linear 16 16
attn.v_bn bn 16
attn.proj_linear linear 16 16
attn.proj_bn bn 16
norm2 ln 16
mlp.fc1_linear linear 32 16
mlp.fc1_bn bn 32
mlp.fc2_linear linear 16 32
mlp.fc2_bn bn 16
"""
SPIKFORMER_IMAGENET = """
norm1 ln 16
attn.q_conv conv1d 16 16
attn.q_bn bn 16
attn.k_conv conv1d 16 16
attn.k_bn bn 16
attn.v_conv conv1d 16 16
attn.v_bn bn 16
attn.proj_conv conv1d_bias 16 16
attn.proj_bn bn 16
norm2 ln 16
mlp.fc1_conv conv2d_bias 32 16
mlp.fc1_bn bn 32
mlp.fc2_conv conv2d_bias 16 32
mlp.fc2_bn bn 16
"""
SDT = """
attn.q_conv conv2d 16 16
attn.q_bn bn 16
attn.k_conv conv2d 16 16
attn.k_bn bn 16
attn.v_conv conv2d 16 16
attn.v_bn bn 16
attn.talking_heads conv1d 2 2
attn.proj_conv conv2d_bias 16 16
attn.proj_bn bn 16
mlp.fc1_conv conv2d_bias 32 16
mlp.fc1_bn bn 32
mlp.fc2_conv conv2d_bias 16 32
mlp.fc2_bn bn 16
"""
KINDS = {
    "conv3": lambda o, i: nn.Conv2d(i, o, 3, bias=False),
    "conv1d": lambda o, i: nn.Conv1d(i, o, 1, bias=False),
    "conv1d_bias": lambda o, i: nn.Conv1d(i, o, 1),
    "conv2d": lambda o, i: nn.Conv2d(i, o, 1, bias=False),
    "conv2d_bias": lambda o, i: nn.Conv2d(i, o, 1),
    "linear": lambda o, i: nn.Linear(i, o),
    "bn": lambda o: nn.BatchNorm1d(o),
    "ln": lambda o: nn.LayerNorm(o),
}
MAPS = {
    "spikformer_cifar": (SPIKFORMER_CIFAR, "spikformer", {"patch_size": 4}),
    "spikformer_imagenet": (SPIKFORMER_IMAGENET, "spikformer", {"patch_size": 16}),
    "spike_driven_transformer": (SDT, "spike_driven_transformer", {}),
}
SIZES = {"embed_dims": 16, "num_heads": 2, "depths": 2, "mlp_ratio": 2.0}
OFFERED = {"T": 2, "in_channels": 3, "img_size_h": 32, "img_size_w": 32, "num_classes": 4}


def published(block: str) -> dict[str, Tensor]:
    """A checkpoint with the published names and shapes, and random numbers."""
    torch.manual_seed(0)
    lines = [*STEM.split("\n"), "head linear 4 16"]
    lines += [f"block.{i}.{line}" for i in range(2) for line in block.split("\n") if line]
    state: dict[str, Tensor] = {}
    for line in filter(None, lines):
        name, kind, *sizes = line.split()
        for what, tensor in KINDS[kind](*map(int, sizes)).state_dict().items():
            noise = torch.rand_like(tensor) + 0.1 if tensor.is_floating_point() else tensor
            state[f"{name}.{what}"] = noise
    return state


@pytest.mark.parametrize("name", MAPS)
def test_every_published_name_finds_its_place(tmp_path, name):
    block, model, extra = MAPS[name]
    network = build(model, {**SIZES, **extra}, OFFERED)
    state = published(block)
    torch.save({"state_dict": state, "epoch": 300}, tmp_path / "theirs.pth.tar")
    load_checkpoint(network, tmp_path / "theirs.pth.tar", load_key_map(name))
    ours, left = load_key_map(name).apply(state, network.state_dict())
    assert left == []
    assert set(ours) == set(network.state_dict())
    assert all(tensor.shape == network.state_dict()[key].shape for key, tensor in ours.items())


@pytest.mark.parametrize("name", MAPS)
def test_layers_compute_what_theirs_do(name):
    """Layer and batch norm of theirs, biases included, against ours, on the same input."""
    block, model, extra = MAPS[name]
    theirs = published(block)
    network = build(model, {**SIZES, **extra}, OFFERED).eval()
    ours, _ = load_key_map(name).apply(theirs, network.state_dict())
    network.load_state_dict(ours)
    x = torch.rand(1, 5, 16, generator=torch.Generator().manual_seed(1))  # [batch, tokens, D]

    def their(layer: str, norm: str) -> Tensor:
        weight = theirs[f"{layer}.weight"].flatten(1)
        out = nn.functional.linear(x, weight, theirs.get(f"{layer}.bias"))
        scale = theirs[f"{norm}.weight"] / (theirs[f"{norm}.running_var"] + 1e-5).sqrt()
        return (out - theirs[f"{norm}.running_mean"]) * scale + theirs[f"{norm}.bias"]

    ending = {"spikformer_cifar": "linear"}.get(name, "conv")
    parts = [("attn.q", "q"), ("attn.k", "k"), ("attn.v", "v"), ("attn.proj", "o"), ("mlp.fc1", "")]
    attn, mlp = network.blocks[1].attn, network.blocks[1].mlp
    for part, label in parts:
        expected = their(f"block.1.{part}_{ending}", f"block.1.{part}_bn")
        tokens = x.mT
        if model == "spikformer":
            if label in ("q", "k", "v"):
                out = attn.qkv_conv_bn[1](attn.qkv_conv_bn[0](tokens)).chunk(3, 1)[
                    "qkv".index(label)
                ]
            else:
                layer, norm = attn.proj_conv_bn if label else mlp.fc1
                out = norm(layer(tokens))
        else:
            layer, norm = (
                (getattr(attn, f"{part[5:]}_conv"), getattr(attn, f"{part[5:]}_bn"))
                if label
                else (mlp.fc1, mlp.bn1)
            )
            out = norm(layer(tokens[None, ..., None]))[0, ..., 0]
        torch.testing.assert_close(out.mT, expected, rtol=1e-4, atol=1e-5)


def test_names_that_fit_nothing_are_listed(tmp_path):
    block, model, extra = MAPS["spikformer_cifar"]
    network = build(model, {**SIZES, **extra}, OFFERED)
    state = published(block)
    state["block.0.attn.extra.weight"] = torch.zeros(3)
    del state["block.1.mlp.fc2_linear.weight"]
    torch.save(state, tmp_path / "theirs.pt")
    with pytest.raises(InputError) as caught:
        load_checkpoint(network, tmp_path / "theirs.pt", load_key_map("spikformer_cifar"))
    assert "1 missing (blocks.1.mlp.fc2.0.weight)" in str(caught.value)
    assert "1 that fit nothing (block.0.attn.extra.weight)" in str(caught.value)


def test_a_map_of_ones_own(tmp_path):
    (tmp_path / "mine.toml").write_text('title = "mine"\n[modules]\n"head" = ["classifier"]\n')
    keys = load_key_map("mine.toml", tmp_path)
    ours, left = keys.apply(
        {"classifier.weight": torch.ones(2, 3), "other": torch.ones(1)},
        {"head.weight": torch.zeros(2, 3)},
    )
    assert ours["head.weight"].sum() == 6
    assert left == ["other"]
    with pytest.raises(InputError, match="unknown map 'spikformer_cifr'.*'spikformer_cifar'"):
        load_key_map("spikformer_cifr")
    (tmp_path / "bad.toml").write_text('title = "mine"\n[module]\n"head" = ["classifier"]\n')
    with pytest.raises(InputError, match="unknown key 'module'"):
        load_key_map("bad.toml", tmp_path)
