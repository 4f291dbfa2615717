"""Whole networks against the counters that others wrote, where those are exact."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neurobench.metrics.utils.layers import single_layer_MACs
from spikingjelly.activation_based import functional, op_counter
from torch import Tensor, nn

from autoprune.networks.build import adapter_for
from autoprune.workload.census.count import count
from autoprune.workload.census.functions import Convolution
from autoprune.workload.census.layers import Layer
from autoprune.workload.census.operand import Operand
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import examine
from autoprune.workload.op import Op

FAMILIES = ["sdt", "token", "channel", "maxformer", "cifar", "spikformer"]


def synops(op: Op) -> int:
    """What `SynOpCounter` counts of an operation with dense weights.

    Spikes times fan-out where one operand is binary, coincidences where both are; nothing where
    none is, which is a MAC to it. Masks and sums have no rule.
    """
    if op.kind == "attention_product":
        return op.work.effective_sops if op.b.kind == "binary" else op.work.fanout_sops
    return op.work.effective_sops if op.kind in ("conv", "linear") and op.a.kind == "binary" else 0


@pytest.mark.parametrize("family", FAMILIES)
def test_dense_networks_equal_spikingjellys_counter(family, small, firing_images):
    network, images = small(family), firing_images(3)
    workload = count(network, adapter_for(network, None), images)
    counter = op_counter.SynOpCounter()
    functional.reset_net(network)
    with torch.no_grad(), op_counter.DispatchCounterMode([counter]):
        network(images)
    ours = sum(synops(op) for op in workload.select("executed"))
    assert ours == counter.get_total() > 0


def prune(network: nn.Module, share: float) -> None:
    """Set the smallest weights of every layer to 0."""
    for module in layers_of(network).values():
        weight = module.weight.data
        smallest = weight.abs().flatten().argsort()[: int(share * weight.numel())]
        weight.view(-1)[smallest] = 0


def layers_of(network: nn.Module) -> dict[str, nn.Module]:
    kinds = nn.Linear | nn.Conv1d | nn.Conv2d
    return {name: m for name, m in network.named_modules() if isinstance(m, kinds)}


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_of_pruned_networks_equal_neurobench(family, small, firing_images):
    """NeuroBench 2.3.0: nonzero inputs times nonzero weights, without bias, spikes as 0 and 1."""
    network, images = small(family), firing_images(3)
    prune(network, 0.9)
    workload = count(network, None, images, 2)
    inputs: dict[str, Tensor] = {}
    for name, module in layers_of(network).items():
        module.register_forward_pre_hook(
            lambda _m, x, name=name: inputs.update({name: x[0].clone()})
        )
    functional.reset_net(network)
    with torch.no_grad():
        network(images)
        theirs = {
            name: single_layer_MACs(x, network.get_submodule(name)) for name, x in inputs.items()
        }
    binary = [op for op in workload.ops if op.b.kind == "weight" and op.a.kind == "binary"]
    assert sum(op.work.effective_sops for op in binary if op.kind in ("conv", "linear")) > 0
    for op in binary:
        if op.kind in ("conv", "linear"):
            assert op.work.effective_sops == int(theirs[op.name][0])
            assert theirs[op.name][1]  # it takes the layer for a spiking one


@settings(derandomize=True)
@given(
    dims=st.sampled_from([0, 1, 2]),
    groups=st.sampled_from([1, 2]),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    kept=st.sampled_from([0.1, 0.5]),
    seed=st.integers(0, 1000),
)
def test_pruned_layers_equal_neurobench(
    dims, groups, kernel, stride, padding, dilation, kept, seed
):
    torch.manual_seed(seed)
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if dims == 0:
        module, shape = nn.Linear(6, 4), (6,)
    else:
        made = (nn.Conv1d, nn.Conv2d)[dims - 1]
        module, shape = made(6, 4, kernel, **geometry), (6, *[7] * dims)
    module.weight.data *= torch.rand_like(module.weight) < kept
    x = (torch.rand(6, *shape) < 0.3).float()
    given = {k: getattr(module, k) for k in geometry} if dims else {}
    size, walk = module(x).shape[2:] if dims else (), Convolution(**given)
    rows = x.unsqueeze(1).unflatten(0, (2, -1))
    at = Site(name="op", block=None, branch="")
    op = Layer(module.weight.detach(), size, walk).op(at, Operand(rows, examine(x)))
    with torch.no_grad():
        assert op.work.effective_sops == int(single_layer_MACs(x, module)[0])
