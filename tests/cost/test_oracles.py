"""Published and recomputable figures that the families have to give."""

from __future__ import annotations

import csv

import pytest
import torch
from torch import nn

from autoprune.cost.families.systolic import cycles
from autoprune.cost.load import load_machine
from autoprune.cost.sample import sample_workload
from autoprune.workload.census.count import count
from autoprune.workload.op import Op
from autoprune.workload.workload import Workload
from tests.operations import altered


def synthetic(name: str, *, sops: int = 0, macs: int = 0, steps: int = 1, **fields) -> Op:
    """An operation of which only the synaptic operations or the real MACs matter."""
    blank = altered(
        sample_workload(steps=steps).ops[1 if sops else 0],
        name=name,
        effective_sops=sops,
        fanout_sops=sops,
        real_macs=macs,
        effective_sops_per_step=(sops // steps,) * steps,
    )
    return altered(blank, **fields)


def workload(*ops: Op, steps: int = 1) -> Workload:
    return Workload(network="oracle", samples=1, time_steps=steps, ops=ops)


def test_scale_sim_golden_cycles(oracle):
    """SCALE-Sim v2's golden result for AlexNet conv1, weight-stationary 32 x 32: 112283 cycles.

    Published with scale-sim-v2 (commit 22f88b1); = 36 folds x 3119 - 1. Exact.
    """
    ours = cycles("ws", (32, 32), m=3025, k=363, n=96)
    what = "AlexNet conv1, WS, 32 x 32"
    oracle("systolic", what, ours, 112_283, went_in="shapes", unit="cycles")


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((64, 48, 32), (1119, 1223, 1679)), ((16, 100, 8), (121, 377, 643))],
)
def test_scale_sim_cycles_of_all_dataflows(oracle, sizes, expected):
    """scalesim 3.0.0 run on an array of 16 x 8, (M, K, N) as given: OS, WS, IS. Exact."""
    m, k, n = sizes
    for flow, published in zip(("os", "ws", "is"), expected, strict=True):
        ours = cycles(flow, (16, 8), m=m, k=k, n=n)
        what = f"{m} x {k} x {n}, {flow.upper()}, 16 x 8"
        oracle("systolic", what, ours, published, went_in="shapes", unit="cycles")


def test_spikformer_energy():
    """Spikformer-4-384 on CIFAR10, counts and energy of its authors (ZK-Zhou/spikformer, issue 23):
    0.005312266 G MAC and 0.2458512465 G AC make 0.2457025 mJ. To the printed digits. Arithmetic on
    published counts, and hence no comparison with a published figure.
    """
    counts = workload(synthetic("stem", macs=5_312_266), synthetic("rest", sops=245_851_246))
    energy = load_machine("ops45_fp32").price(counts).energy_uj
    assert energy == pytest.approx(245.7025, rel=1e-6)


POSITIONS = {
    f"patch_embed.proj_conv{number}": size**2
    for number, size in (("", 224), ("1", 112), ("2", 56), ("3", 28))
}
"""Output positions of the stem's convolutions; 14 x 14 tokens behind them."""


def test_spikingformer_energy_from_layers(oracle, root):
    """Spikingformer-8-512 on ImageNet, 62 layers as released by its authors: 7.463502601886196 mJ
    at 4.6 pJ a MAC and 0.9 pJ an AC. Dense operations are a layer's parameters times its positions
    and T = 4 steps (once in the head), AC those times the released input rate; those of attention
    are T N D d times the sum of the rates of q and k, with N = 196, D = 512, d = 64. Rates have
    three digits of a per cent, hence 1e-5 relative.
    """
    file = root / "tests" / "cost" / "oracles" / "spikingformer_8_512_layers.csv"
    with file.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    ops = []
    for row in rows:
        name, rate = row["layer"], row["input_spike_rate_pct"]
        if row["kind"] == "ssa":
            rates = dict(part.split("=") for part in rate.split(";"))
            sops = round(4 * 196 * 512 * 64 * (float(rates["q"]) + float(rates["k"])))
            ops.append(synthetic(name, sops=sops))
            continue
        positions = POSITIONS.get(name, 1 if name == "head" else 14**2)
        dense = int(row["params"]) * positions * (1 if name == "head" else 4)
        real = name in ("patch_embed.proj_conv", "head")
        sops = 0 if real else round(dense * float(rate) / 100)
        ops.append(synthetic(name, sops=sops, macs=dense if real else 0))
    energy = load_machine("ops45_fp32").price(workload(*ops)).energy_uj
    published = 7463.502601886196
    what, went_in = "Spikingformer-8-512, ImageNet", "shapes, densities, prices"
    oracle("op_energy", what, energy, published, went_in=went_in, unit="µJ", rel=1e-5)


KERAS_SPIKING = """
title = "KerasSpiking's rule: energy per synaptic event and per neuron update"
family = "event_driven"
weight_bits = 8
[prices]
synaptic_operation = {{ value = {synop}, {pj} }}
update_active = {{ value = {neuron}, {pj} }}
update_inactive = {{ value = {neuron}, {pj} }}
sparse_synapse = {{ value = {synop}, {pj} }}
kernel_synapse = {{ value = {synop}, {pj} }}
spike_message = {{ value = 0, {pj} }}
neuron_spike = {{ value = 0, {pj} }}
neuron_spike_time = {{ value = 0, {ns} }}
synaptic_operation_time = {{ value = 0, {ns} }}
sparse_synapse_time = {{ value = 0, {ns} }}
kernel_synapse_time = {{ value = 0, {ns} }}
update_active_time = {{ value = 0, {ns} }}
update_inactive_time = {{ value = 0, {ns} }}
spike_message_time = {{ value = 0, {ns} }}
barrier_time = {{ value = 0, {ns} }}
static_power = {{ value = 0, {mw} }}
[parameters]
neurons_per_core = {{ value = 1024, {count} }}
synapse_memory_per_core = {{ value = 128, unit = "KiB", evidence = "assumed", source = "test" }}
axons_in_per_core = {{ value = 4096, {count} }}
axons_out_per_core = {{ value = 4096, {count} }}
cores_per_chip = {{ value = 128, {count} }}
[choices]
attention_order = "executed"
weight_sharing = "shared"
[capabilities]
spike_sparsity = "skip"
weight_sparsity = "skip"
real_input = "host"
dynamic_product = "unsupported"
integer_spike = "native"
neuron = "native"
"""


@pytest.mark.parametrize(
    ("synop_joule", "neuron_joule", "expected_joule"),
    [(8.6e-9, 0.0, 8.64e-4), (1e-10, 2e-9, 1.03e-5)],
)
def test_keras_spiking_devices(oracle, tmp_path, synop_joule, neuron_joule, expected_joule):
    """KerasSpiking's documentation: a dense 784 -> 128 layer of which every synapse is used once
    costs 8.64e-4 J on its cpu (8.6 nJ per synaptic operation; 8.63e-4 without neurons, printed
    8.64) and 1.03e-5 J on a device of 1e-10 J per synaptic operation and 2e-9 J per neuron. To
    0.2 %, the printed digits.
    """
    unit = 'evidence = "assumed", scope = "per_term", source = "KerasSpiking documentation"'
    file = tmp_path / "device.toml"
    file.write_text(
        KERAS_SPIKING.format(
            synop=synop_joule * 1e12,
            neuron=neuron_joule * 1e12,
            pj=f'unit = "pJ", {unit}',
            ns=f'unit = "ns", {unit}',
            mw=f'unit = "mW", {unit}',
            count='unit = "count", evidence = "assumed", source = "test"',
        )
    )
    synapses, neurons = 784 * 128, 128
    op = synthetic("dense", sops=synapses, neurons=neurons, updates_active=100, updates_inactive=28)
    energy = load_machine(str(file)).price(workload(op)).energy_uj
    what = f"dense 784 -> 128 at {synop_joule:g} J per synaptic event"
    went_in = "shapes, prices"
    joule = expected_joule * 1e6
    oracle("event_driven", what, energy, joule, went_in=went_in, unit="µJ", rel=2e-3)


def test_loihi_arithmetic(oracle):
    """Loihi 1, Davies 2018: 128 cores x 1024 neurons on 60 mm2 are 2184 neurons per mm2, as printed
    there. By our own arithmetic from its Table 2 a step in which all of them idle costs 6.816 uJ,
    all active 10.617 uJ.
    """
    loihi = load_machine("loihi1")
    neurons = int(loihi.quantity("neurons_per_core") * loihi.quantity("cores_per_chip"))
    what, per_mm2 = "Loihi, neurons per mm2", neurons / 60
    oracle("event_driven", what, per_mm2, 2184, went_in="capacities", abs=0.6)
    quiet = dict(sops=1, a_events=0, events_per_step=(0,), neurons=neurons)
    idle = synthetic("idle", updates_active=0, updates_inactive=neurons, **quiet)
    busy = synthetic("busy", updates_active=neurons, updates_inactive=0, **quiet)
    one_sop = 23.6e-6
    for op, expected in ((idle, 6.816), (busy, 10.617)):
        energy = loihi.price(workload(op)).dynamic_pj * 1e-6 - one_sop
        assert energy == pytest.approx(expected, abs=5e-4)


class SoftmaxAttention(nn.Module):
    """Scaled-dot-product attention alone."""

    T = 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = x.chunk(3, -1)
        return nn.functional.scaled_dot_product_attention(q, k, v)


def test_attention_of_pytorch(oracle):
    """Scaled-dot-product attention of (1, 12, 64, 64): 12 582 912 FLOPs, two a MAC, as expected in
    pytorch issue 195460, where torch's own counter answers 0 on a CPU. Exact.
    """
    workload = count(SoftmaxAttention().eval(), None, torch.randn(1, 12, 64, 3 * 64))
    flops = 2 * workload.total("dense_macs")
    what = "scaled-dot-product attention (1, 12, 64, 64)"
    oracle("census", what, flops, 12_582_912, went_in="shapes", unit="FLOPs")
