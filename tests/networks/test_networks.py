"""How a study's network is built and what is said when it cannot be."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from spikingjelly.activation_based.model import maxformer, qkformer, spike_driven_transformer
from spikingjelly.activation_based.model import spikformer as sj_spikformer
from torch import nn

from autoprune.errors import CompressionError, InputError
from autoprune.networks.adapter import Inside, Projection
from autoprune.networks.branches import branch
from autoprune.networks.build import adapter_for, build, check_image, find_architecture
from autoprune.networks.checkpoint import load_checkpoint
from autoprune.networks.families import FAMILIES
from autoprune.networks.spikformer import SpikformerAdapter
from tests.refusals import assert_refused, refusals

OFFERED = {"T": 2, "in_channels": 3, "img_size_h": 32, "img_size_w": 32, "num_classes": 10}
SMALL = {"embed_dims": 16, "num_heads": 2, "depths": 1, "mlp_ratio": 2.0}


def test_the_names_of_the_families_are_those_of_the_spec():
    assert set(FAMILIES) == set(FAMILIES)


@pytest.mark.parametrize(
    ("model", "arguments", "theirs"),
    [
        (
            "spikformer",
            {"embed_dims": 384, "num_heads": 12, "depths": 4, "patch_size": 4},
            lambda: sj_spikformer.spikformer_cifar10(),
        ),
        (
            "spike_driven_transformer",
            {"embed_dims": 384, "num_heads": 8, "depths": 8},
            lambda: spike_driven_transformer.sdt_8_384(num_classes=10),
        ),
        (
            "qkformer",
            {"embed_dims": 384, "num_heads": [6, 6, 6], "depths": [1, 2, 7]},
            lambda: qkformer.qkformer_10_384(num_classes=10),
        ),
        (
            "maxformer",
            {"embed_dims": 384, "depths": [1, 1, 2], "cifar": True},
            lambda: maxformer.maxformer_cifar(num_classes=10),
        ),
    ],
)
def test_a_family_is_the_class_of_spikingjelly(model, arguments, theirs):
    ours, theirs = build(model, arguments, OFFERED), theirs()
    shapes = [{n: p.shape for n, p in net.state_dict().items()} for net in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert ours.T == 2


@pytest.mark.parametrize(
    "asked", [{"depths": 10**12}, {"embed_dims": 2**17}, {"embed_dims": 0}, {"mlp_ratio": 1e-308}]
)
def test_one_that_cannot_be_meant_is_refused_before_it_is_made(asked, recwarn):
    """Its blocks would be made one by one, its weights fill the memory, or hold nothing."""
    found = find_architecture("spikformer_patch", {**SMALL, **asked}, OFFERED)
    assert_refused("network spikformer_patch: *expected", found.build_within)
    assert not recwarn.list


@refusals(
    (("spikformer", {**SMALL, "embed_dim": 8}), "unknown argument 'embed_dim'*'embed_dims'"),
    (("spikformer", {**SMALL, "num_heads": 3}), "num_heads = 3*divided by num_heads 3"),
    (("spikformer", {**SMALL, "patch_size": 5}), "patch_size=4 or 16"),
    (("spikformer", {**SMALL, "embed_dims": "16"}), "cannot be built with"),
    (("spikformer_patch", {**SMALL, "depths": True}), "depths = true; expected a number"),
    (("spikformer_patch", {**SMALL, "patch_size": 0}), "patch_size 0, stem 1*at least 1"),
    (("spikformer_patch", {**SMALL, "stem": 6}), "stem 6, embed_dims 16*halved stem - 1 times"),
    (("spikformer_patch", {"embed_dims": 16}), "argument 'num_heads' is missing"),
    (("qkformer", {"embed_dims": 18}), "divisible by 4"),
    (("qkformer", {"depths": [1, 2]}), "three stage values"),
    (("spikformer", {**SMALL, "T": 3}), "unknown argument 'T'"),
    (("spikformer", {**SMALL, "spiking_neuron": "x"}), "unknown argument 'spiking_neuron'"),
    (("no_such_module:build", {}), "No module named 'no_such_module'*beside the file"),
    (("own_network:OwnFormers", {}), "has no attribute 'OwnFormers'"),
    (("own_network:Norm", {"num_features": 3, "widht": 3}), "unknown argument 'widht'"),
    (("autoprune.networks.families:FAMILIES", {}), "is of type dict; expected something to call"),
    (("os:getcwd", {}), "returned str; expected a torch.nn.Module"),
)
def test_what_cannot_be_built_is_named(given, words):
    model, arguments = given
    assert_refused(words, build, model, arguments, OFFERED)


def test_a_network_of_no_family_needs_an_adapter():
    network = build("own_network:build", {}, OFFERED)
    with pytest.raises(InputError, match="OwnFormer is of no known family .*maxformer.*adapter"):
        adapter_for(network, None)
    with pytest.raises(InputError, match="a LIFNode; expected a ModelAdapter"):
        adapter_for(network, "own_network:lif")
    assert adapter_for(network, "own_network:OwnAdapter").shape(network).blocks


@pytest.mark.parametrize(
    ("model", "arguments", "patch"),
    [
        ("spikformer", {**SMALL, "patch_size": 4}, 4),
        ("spikformer", {**SMALL, "patch_size": 16}, 16),
        ("spikformer_patch", SMALL, 2),
        ("spikformer_patch", {**SMALL, "patch_size": 7}, 7),
        ("spikformer_patch", {**SMALL, "patch_size": 4, "stem": 3}, 4),
        ("spike_driven_transformer", {**SMALL, "pooling_stat": "0111"}, 8),
        ("qkformer", {"embed_dims": 16, "num_heads": [1, 1, 1], "depths": [1, 1, 1]}, 16),
        ("maxformer", {"embed_dims": 16, "depths": [1, 1, 1]}, 16),
        ("maxformer", {"embed_dims": 16, "depths": [1, 1, 1], "cifar": True}, 4),
    ],
)
def test_patches_have_to_divide_the_image(model, arguments, patch):
    side = 4 * patch
    network = build(model, arguments, {**OFFERED, "img_size_h": side, "img_size_w": side})
    adapter = adapter_for(network, None)
    check_image(network, adapter, (2 * patch, patch))
    with pytest.raises(InputError, match=f"multiples of its patch of {patch}"):
        check_image(network, adapter, (2 * patch, patch + 1))
    # It is the number of pixels of a token, seen in the network itself.
    sizes = []
    block = adapter.branches(network)[-1][-1].owner
    block.register_forward_hook(lambda _m, x, out: sizes.append(out.shape))
    network(torch.rand(1, 3, side, side))
    assert sizes[-1][-2:] == (4, 4)


def test_a_network_without_blocks_is_refused():
    network = build("spikformer", SMALL, OFFERED)
    network.blocks = nn.ModuleList()
    with pytest.raises(CompressionError, match="SpikformerAdapter on Spikformer: no blocks found"):
        SpikformerAdapter().shape(network)


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(4, 6), nn.Linear(6, 4)
        self.odd = nn.Linear(4, 5)


@refusals(
    (lambda t: {"inner": {"a": t.up}, "ties": ("a b",)}, "tie of unknown matrix 'b'; it has"),
    (lambda t: {"inner": {"a": t.up, "c": t.odd}}, "inner matrices of [5, 6] outputs"),
    (lambda t: {"inner": {"a": t.odd, "b": t.odd}}, "5 outputs hold no 2 equal matrices"),
    (lambda t: {"inner": {"a": t.up}, "groups": 4}, "6 inner dimensions are no multiple of 4"),
)
def test_what_is_wrong_with_an_adapter_is_named(given, words):
    holder = nn.Module()
    holder.mlp = Toy()

    def describe(toy: Toy) -> Inside:
        inside = given(toy)
        inner = {name: Projection(module) for name, module in inside.pop("inner").items()}
        return Inside(inner=inner, **inside)

    assert_refused(words, branch, "mlp", holder, "mlp", describe, by=CompressionError)


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_a_checkpoint_of_another_network_lists_the_differences(tmp_path, ending):
    network = build("spikformer_patch", SMALL, OFFERED)
    state = network.state_dict()
    file = tmp_path / f"parent.{ending}"

    def save(state: dict) -> None:
        if ending == "pt":
            torch.save({"state_dict": state, "epoch": 3}["state_dict"], file)
        else:
            save_file(state, file)

    save({name: tensor + 1 for name, tensor in state.items()})
    load_checkpoint(network, file)
    assert torch.equal(network.head.weight, state["head.weight"])  # the tensors are the network's
    other = dict(state)
    del other["head.bias"]
    other["head.wait"] = torch.zeros(3)
    other["head.weight"] = torch.zeros(3, 5)
    save(other)
    with pytest.raises(InputError) as caught:
        load_checkpoint(network, file)
    message = str(caught.value)
    assert "1 missing (head.bias)" in message
    assert "1 unknown (head.wait)" in message
    assert "1 other shapes (head.weight is [3, 5], the network's [10, 16])" in message


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_an_unreadable_checkpoint(tmp_path, content, ending):
    file = tmp_path / f"parent.{ending}"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match="no such file|not readable"):
        load_checkpoint(build("spikformer_patch", SMALL, OFFERED), file)


QK = {"embed_dims": 16, "num_heads": [2, 2, 2], "depths": [1, 1, 1]}


@pytest.mark.parametrize(
    ("model", "arguments", "ties", "groups"),
    [
        ("spikformer", SMALL, [{"q", "k"}, {"v", "o"}], 2),
        ("spike_driven_transformer", SMALL, [{"q", "k", "v", "o"}], 1),
        ("qkformer", {**QK, "qka_type": "token"}, [{"q"}, {"k", "o"}], 2),
        ("qkformer", {**QK, "qka_type": "channel"}, [{"q", "k", "o"}], 1),
        (
            "maxformer",
            {"embed_dims": 32, "depths": [0, 0, 1], "cifar": True},
            [{"q", "k"}, {"v", "o"}],
            8,
        ),
    ],
)
def test_what_leaves_together(model, arguments, ties, groups):
    """The table of docs/networks.md."""
    network = build(model, arguments, OFFERED)
    attention = adapter_for(network, None).branches(network)[0][0]

    def names(tie) -> set[str]:
        return {
            matrix.name
            for cut in tie
            for matrix in attention.matrices
            if matrix.module is cut.module and (cut.side == "in" or matrix.rows.start == cut.offset)
        }

    assert [names(tie) for tie in attention.ties] == ties
    assert attention.groups == groups
