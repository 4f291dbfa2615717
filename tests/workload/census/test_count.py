"""The census of a whole network."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from spikingjelly.activation_based import functional, op_counter
from torch import nn

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.surgery.apply import compress
from autoprune.networks.spikformer_patch import PatchSpikformer
from autoprune.workload.census.count import count


def test_every_operation_is_counted_and_fires(network, adapter, images):
    workload = count(network, adapter, images)
    names = [op.name for op in workload.select("executed")]
    assert names == [
        "patch_embed.conv_bn.0",
        *(
            f"blocks.{i}.{name}"
            for i in (0, 1)
            for name in (
                "attention.qkv",
                "attention.product1",
                "attention.product2",
                "attention.o",
                "mlp.fc1",
                "mlp.fc2",
            )
        ),
        "head",
    ]
    assert [op.name for op in workload.select("published")] == names
    assert all(op.work.effective_sops > 0 for op in workload.ops if op.a.kind != "real")
    classes = {op.name: op.a.kind for op in workload.ops}
    assert classes["patch_embed.conv_bn.0"] == "real"
    assert classes["blocks.1.attention.qkv"] == "integer"  # spikes are added to spikes
    assert classes["head"] == "integer"  # means of spikes
    assert workload.per_sample("real_macs") == 3 * 16 * 9 * 12


def test_dense_macs_are_those_of_fvcore(network, adapter, images):
    workload = count(network, adapter, images)
    functional.reset_net(network)
    seen = FlopCountAnalysis(network, images[:1]).unsupported_ops_warnings(False)
    by_operator = dict(seen.uncalled_modules_warnings(False).by_operator())
    functional.reset_net(network)
    folded = by_operator.pop("batch_norm")
    assert workload.per_sample("dense_macs") == sum(by_operator.values())
    missing = {item.name: item.dense_macs for item in workload.uncounted if item.dense_macs}
    assert missing == {"batch_norm": folded * 6}
    share = workload.share_of_dense_macs(missing["batch_norm"])
    assert share == pytest.approx(folded / (folded + sum(by_operator.values())))


def test_linear_layers_equal_spikingjelly_counter_for_binary_input(network, adapter, images):
    """Dense weights, binary inputs: the stem's spikes into the first block, hidden into fc2."""
    workload = count(network, adapter, images)
    counter = op_counter.SynOpCounter()
    functional.reset_net(network)
    with torch.no_grad(), op_counter.DispatchCounterMode([counter]):
        network(images)
    functional.reset_net(network)
    theirs = counter.get_counts()
    ours = {op.name: op for op in workload.select("executed")}
    qkv = theirs["PatchSpikformer.blocks.0.attn.qkv_conv_bn.0"]
    fc2 = theirs["PatchSpikformer.blocks.1.mlp.fc2.0"]
    assert ours["blocks.0.attention.qkv"].work.effective_sops == sum(qkv.values()) > 0
    assert ours["blocks.1.mlp.fc2"].work.effective_sops == sum(fc2.values()) > 0


def test_compression_lowers_the_counts(network, adapter, shape, images, effort):
    point = {"blocks.0.mlp.dsp": 0.5, "blocks.1.attention.dsp": 0.0, "blocks.0.attention.l1p": 0.9}
    model = compress(network, make_plan(parse_configuration(point), shape, effort), adapter).eval()
    before = {op.name: op for op in count(network, adapter, images).select("executed")}
    after = {op.name: op for op in count(model, adapter, images).select("executed")}
    assert "blocks.1.attention.qkv" not in after
    assert after["blocks.0.mlp.fc1"].sizes.n == before["blocks.0.mlp.fc1"].sizes.n // 2
    pruned = after["blocks.0.attention.qkv"]
    assert pruned.b.nonzeros == round(0.1 * pruned.b.size / 3) * 3
    assert pruned.work.effective_sops < 0.3 * pruned.work.fanout_sops
    assert pruned.work.dense_macs == before["blocks.0.attention.qkv"].work.dense_macs


class WithMore(PatchSpikformer):
    """A network with operators that the census does not count."""

    def __init__(self, more) -> None:
        super().__init__(
            T=3,
            in_channels=1,
            img_size_h=8,
            img_size_w=8,
            num_classes=4,
            embed_dims=12,
            depths=1,
            num_heads=3,
            mlp_ratio=2.0,
        )
        self.more = more

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.more(super().forward(x))


@pytest.mark.parametrize(
    ("more", "name", "macs"),
    [
        (lambda x: torch.fft.rfft(x).real, "_fft_r2c", 0),
        (lambda x: torch.cdist(x, x), "_cdist_forward", 6 * 6 * 4),
        (lambda x: nn.functional.bilinear(x, x, torch.ones(2, 4, 4)), "_trilinear", 6 * 2 * 16),
    ],
)
def test_what_the_census_does_not_know_is_listed(adapter, images, more, name, macs):
    workload = count(WithMore(more).eval(), adapter, images)
    (missing,) = [item for item in workload.uncounted if item.name == name]
    assert missing.dense_macs == macs
    assert "not counted, in the network itself" in missing.reason
    assert ("may multiply" in missing.reason) == (macs == 0)


def test_a_layer_that_runs_twice_is_two_operations(network, adapter, images):
    network.blocks[1].mlp = network.blocks[0].mlp
    ops = {op.name: op for op in count(network, adapter, images).ops}
    first, second = (ops[f"blocks.1.mlp.fc1{end}"] for end in ("", "#2"))
    assert first.b == second.b
    assert first.work.dense_macs == second.work.dense_macs
    assert first.producers != second.producers


def test_workload_survives_json(network, adapter, images):
    workload = count(network, adapter, images)
    assert type(workload).from_json(workload.to_json()) == workload
    assert dataclasses.replace(workload, samples=7) != workload


def test_events_drive_the_stem_and_pixels_do_not(network, adapter, images):
    frames = torch.randint(0, 3, (4, 3, 1, 8, 8), generator=torch.Generator().manual_seed(2))
    stem = count(network, adapter, frames.float()).ops[0]
    assert (stem.a.kind, stem.work.real_macs) == ("integer", 0)
    assert stem.a.events == int(frames.sum())
    assert stem.work.fanout_sops >= stem.work.effective_sops > 0
    assert stem.producers == ("input",)
    assert count(network, adapter, images).ops[0].a.kind == "real"
