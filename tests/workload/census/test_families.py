"""The census follows tensors through any family: what it finds, and whom neurons belong to."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import functional, neuron
from spikingjelly.activation_based.model import spikformer
from torch import Tensor, nn

from autoprune.networks.build import adapter_for
from autoprune.workload.census.count import count

FAMILIES = ["sdt", "token", "channel", "maxformer", "cifar", "spikformer"]


def images(count: int = 2) -> Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_neuron_and_spike_belongs_to_one_operation(family, small):
    network = small(family)
    workload = count(network, adapter_for(network, None), images())
    sizes, spikes = [], []

    def note(_module: nn.Module, _x: object, out: Tensor) -> None:
        sizes.append(out[0, 0].numel())
        spikes.append(int(out.sum()))

    for module in network.modules():
        if isinstance(module, neuron.BaseNode):
            module.register_forward_hook(note)
    functional.reset_net(network)
    with torch.no_grad():
        network(images())
    ops = list(workload.select("executed"))
    assert sum(op.neurons.count for op in ops) == sum(sizes) > 0
    assert sum(op.neurons.output_spikes for op in ops) == sum(spikes) > 0
    assert sum(
        op.neurons.updates_active + op.neurons.updates_inactive for op in ops
    ) == 2 * 2 * sum(sizes)
    assert not [item for item in workload.uncounted if "neurons" in item.reason]


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_not_counted_is_folded_batch_norm(family, small):
    network = small(family)
    workload = count(network, adapter_for(network, None), images())
    assert {u.name for u in workload.uncounted if u.dense_macs} == {"batch_norm"}
    assert all(op.norm_folded for op in workload.ops if op.kind == "conv")


def observed(network: nn.Module, *wanted: nn.Module) -> list[Tensor]:
    """What these neurons emitted for the images, as float64."""
    seen: dict[nn.Module, Tensor] = {}
    for module in wanted:
        module.register_forward_hook(lambda m, _x, out: seen.update({m: out.double()}))
    functional.reset_net(network)
    with torch.no_grad():
        network(images())
    functional.reset_net(network)
    return [seen[module] for module in wanted]


def test_masks_of_the_spike_driven_transformer(small):
    network = small("sdt")
    workload = count(network, adapter_for(network, None), images())
    ops = {op.name.removeprefix("blocks.0.attention."): op for op in workload.ops}
    attn = network.blocks[0].attn
    q, k, v, mask = observed(network, attn.q_lif, attn.k_lif, attn.v_lif, attn.attn_lif)
    assert ops["mask1"].work.effective_sops == int((k * v).sum()) > 0
    assert {ops["mask1"].a.events, ops["mask1"].b.events} == {int(k.sum()), int(v.sum())}
    assert ops["mask1"].neurons.count == 16  # attn_lif, one per channel, fed by the sum
    per_channel = mask.transpose(-2, -1).reshape(2, 2, 16, 1, 1)
    assert ops["mask2"].work.effective_sops == int((q * per_channel).sum()) > 0
    assert ops["o"].a.events == ops["mask2"].work.effective_sops
    assert all(ops[name].work.dense_macs == 0 for name in ("mask1", "mask2"))


def test_neurons_behind_a_sum_belong_to_the_last_product(small):
    """Membranes of the spike-driven transformer are sums of everything before them."""
    network = small("sdt")
    ops = {op.name: op for op in count(network, adapter_for(network, None), images()).ops}
    assert ops["blocks.0.attention.q"].producers == ("patch_embed.rpe_conv",)
    assert ops["blocks.0.mlp.fc1"].producers == ("blocks.0.attention.o",)
    assert ops["head"].producers == ("blocks.0.mlp.fc2",)
    summed = ops["blocks.0.attention.o"]
    assert summed.neurons.updates_inactive == 0


@pytest.mark.parametrize("family", ["token", "channel"])
def test_masks_of_qkformer(family, small):
    network = small(family)
    workload = count(network, adapter_for(network, None), images())
    ops = {op.name.removeprefix("blocks.1.attention."): op for op in workload.ops}
    attn = network.stage2[0].attn
    (qk,) = observed(network, attn.qk_lif)
    q, k = qk.chunk(2, dim=2)
    assert (ops["sum1"].kind, ops["sum1"].work.effective_sops) == ("sum", int(q.sum()))
    tokens, width = q.shape[-1], q.shape[2]
    neurons, summed = {"token": (2 * tokens, width // 2), "channel": (width, tokens)}[family]
    assert (ops["sum1"].neurons.count, ops["sum1"].sizes.k) == (neurons, summed)
    assert ops["o"].a.events == ops["mask1"].work.effective_sops <= int(k.sum())


def test_max_former_executes_keys_with_values_first(small):
    network = small("cifar")
    workload = count(network, adapter_for(network, None), images())
    executed = {op.name: op for op in workload.select("executed")}
    published = {op.name: op for op in workload.select("published")}
    name, heads, d, tokens = "blocks.2.attention.product1", 8, 4, 16
    assert (executed[name].sizes.m, executed[name].sizes.k, executed[name].sizes.n) == (
        d,
        tokens,
        d,
    )
    assert (published[name].sizes.m, published[name].sizes.k, published[name].sizes.n) == (
        tokens,
        d,
        tokens,
    )
    assert executed[name].sizes.heads == published[name].sizes.heads == heads


def test_max_formers_image_variant_feeds_real_numbers_to_attention(small):
    network = small("maxformer")
    workload = count(network, adapter_for(network, None), images())
    classes = {op.name: op.a.kind for op in workload.ops}
    assert classes["blocks.2.attention.qkv"] == "real"
    assert classes["blocks.2.mlp.fc1"] == "binary"


def test_dense_macs_of_spikformer_4_384():
    """3.6858 G of convolutions and layers; 3.7110 G with attention as executed, 3.7361 G as the
    papers count it. Published: 3.74 G (Zhou et al., ICLR 2023, Table 2, Spikformer-4-384, T = 4).
    """
    network = spikformer.spikformer_cifar10().eval()
    one = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    workload = count(network, adapter_for(network, None), one)
    layers = sum(op.work.dense_macs for op in workload.ops if op.kind != "attention_product")
    assert layers == 3_685_825_536
    blocks, steps, heads, d, tokens = 4, 4, 12, 32, 64
    products = 2 * blocks * steps * heads
    assert workload.total("dense_macs", "executed") == layers + products * d * d * tokens
    assert workload.total("dense_macs", "published") == layers + products * d * tokens * tokens
    assert workload.total("dense_macs", "published") == 3_736_157_184


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("family", FAMILIES)
def test_recorded_spikes_count_alike_on_cpu_and_gpu(family, small):
    """Neurons replay what they emitted on the CPU, so that both devices see the same spikes."""
    network = small(family)
    recorded: dict[str, Tensor] = {}
    for name, module in network.named_modules():
        if isinstance(module, neuron.BaseNode):
            module.register_forward_hook(
                lambda _m, _x, out, name=name: recorded.setdefault(name, out.clone()).to(out)
            )
    adapter = adapter_for(network, None)
    on_cpu = count(network, adapter, images())
    on_gpu = count(network.cuda(), adapter, images().cuda())
    assert [op.work.effective_sops for op in on_cpu.ops] == [
        op.work.effective_sops for op in on_gpu.ops
    ]
    assert [op.work.fanout_sops for op in on_cpu.ops] == [op.work.fanout_sops for op in on_gpu.ops]
    assert [op.a.events for op in on_cpu.ops] == [op.a.events for op in on_gpu.ops]
