"""Neurons that emit -1, 0 and 1, or several spikes at once, or stand before every layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn

from autoprune.workload.census.count import count
from autoprune.workload.workload import Workload

STEPS, SAMPLES, TOKENS, WIDTH = 4, 3, 5, 6


class Attention(nn.Module):
    """Layers, a residual and an attention behind neurons of one kind."""

    def __init__(self, make) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T = STEPS
        self.embed = nn.Linear(4, WIDTH)
        self.fire, self.qkv_fire, self.out_fire = (make() for _ in range(3))
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.fc = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.fire(3 * self.embed(x.expand(STEPS, *x.shape)))
        q, k, v = self.qkv_fire(4 * self.qkv(spikes)).chunk(3, -1)
        return self.fc(spikes + self.out_fire(q @ k.mT @ v))


def counted(make) -> tuple[Workload, dict[str, Tensor], Attention]:
    """The workload, what went into every module and what came out of it, and the network."""
    network = Attention(make).eval()
    x = torch.randn(SAMPLES, TOKENS, 4, generator=torch.Generator().manual_seed(1))
    workload = count(network, None, x)
    seen: dict[str, Tensor] = {}
    for name, module in network.named_children():
        module.register_forward_hook(
            lambda _m, given, out, name=name: seen.update({f"{name}<": given[0], f"{name}>": out})
        )
    functional.reset_net(network)
    with torch.no_grad():
        network(x)
    return workload, seen, network


TERNARY = "ternary", lambda: neuron.TernaryLIFNode(step_mode="m")
INTEGER = "integer", lambda: neuron.ILIFNode(step_mode="m")


@pytest.mark.parametrize(("kind", "make"), [TERNARY, INTEGER])
def test_spikes_of_any_class_are_counted_as_events(kind, make):
    workload, seen, _ = counted(make)
    ops = {op.name: op for op in workload.select("executed")}
    spikes = seen["fire>"].abs()
    assert (ops["qkv"].a.kind, ops["qkv"].work.real_macs) == (kind, 0)
    assert ops["qkv"].a.events == int(spikes.sum()) > ops["qkv"].a.nonzeros * (kind == "integer")
    assert (
        ops["qkv"].work.fanout_sops
        == ops["qkv"].work.effective_sops
        == 3 * WIDTH * int(spikes.sum())
    )
    assert ops["embed"].neurons.output_spikes == int(spikes.sum())
    by_sample = spikes.sum((0, 2, 3)).numpy()
    assert ops["embed"].neurons.output_spikes_std == pytest.approx(np.std(by_sample)) != 0
    summed = seen["fc<"]
    assert (ops["fc"].a.kind, ops["fc"].work.real_macs) == ("integer", 0)
    assert ops["fc"].a.events == int(summed.abs().sum())
    largest, signed = int(summed.abs().max()), bool(summed.min() < 0)
    assert ops["fc"].a.bits == largest.bit_length() + signed


@pytest.mark.parametrize(("kind", "make"), [TERNARY, INTEGER])
def test_products_of_spikes_of_any_class(kind, make):
    workload, seen, _ = counted(make)
    q, k, v = seen["qkv_fire>"].double().chunk(3, -1)
    products = {(op.name, op.order): op for op in workload.ops if op.kind == "attention_product"}
    first, second = (products[f".product{i}", "published"] for i in (1, 2))
    assert products[".product1", "executed"].order == "executed"
    assert (first.a.kind, first.b.kind) == (kind, kind)
    scores = q @ k.mT
    assert first.work.effective_sops == int((q.abs() @ (k != 0).double().mT).sum()) > 0
    assert first.work.fanout_sops == int(q.abs().sum()) * TOKENS
    assert second.a.events == int(v.abs().sum())
    assert second.work.effective_sops == int(((scores != 0).double() @ v.abs()).sum()) > 0
    assert second.b.events == int(scores.abs().sum())
    assert {op.work.real_macs for op in products.values()} == {0}


def test_output_spikes_of_several_neurons_behind_one_layer_add_up():
    class Forked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.T, self.layer = STEPS, nn.Linear(4, WIDTH)
            self.low = neuron.LIFNode(v_threshold=0.1, step_mode="m")
            self.high = neuron.LIFNode(v_threshold=0.5, step_mode="m")

        def forward(self, x: Tensor) -> Tensor:
            x = self.layer(x.expand(STEPS, *x.shape))
            return self.low(x) + self.high(x)

    x = torch.randn(SAMPLES, 4, generator=torch.Generator().manual_seed(1))
    op = count(Forked().eval(), None, x).ops[0]
    with torch.no_grad():
        by_sample = Forked().eval()(x).sum((0, 2)).numpy()
    assert op.neurons.output_spikes == by_sample.sum() > 0
    assert op.neurons.output_spikes_std == pytest.approx(np.std(by_sample)) != 0
    assert op.neurons.count == 2 * WIDTH


def test_neurons_before_every_layer_encode_the_input():
    """They are named, since no product drives them; what they feed is driven by spikes."""

    class Encoded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.T, self.encode = STEPS, neuron.LIFNode(v_threshold=0.2, step_mode="m")
            self.layer = nn.Linear(4, WIDTH)

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(self.encode(x.expand(STEPS, *x.shape)))

    x = torch.rand(SAMPLES, 4, generator=torch.Generator().manual_seed(1))
    workload = count(Encoded().eval(), None, x)
    (op,) = workload.ops
    assert (op.a.kind, op.producers, op.work.real_macs) == ("binary", ("input",), 0)
    assert op.work.fanout_sops == WIDTH * op.a.events > 0
    assert ("encode", "4 neurons that no product drives") in {
        (item.name, item.reason) for item in workload.uncounted
    }


class Passing(nn.Module):
    """Spikes of one layer, what is done to them, and a layer that reads them."""

    def __init__(
        self, between, make=lambda: neuron.LIFNode(v_threshold=0.2, step_mode="m")
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.between, self.embed = STEPS, between, nn.Linear(4, WIDTH)
        self.fire, self.other, self.out = make(), make(), nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.fire(3 * self.embed(x.expand(STEPS, *x.shape)))
        return self.out(self.between(self, spikes))


class WritingNode(neuron.LIFNode):
    """Neurons that write into what they are given."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.mul_(3))


def in_place(net: nn.Module, spikes: Tensor) -> Tensor:
    spikes.flatten(2).mul_(3)
    return spikes


def by_neurons(net: nn.Module, spikes: Tensor) -> Tensor:
    view = spikes.flatten(2)
    net.other(view)
    return spikes


@pytest.mark.parametrize(("between", "events"), [(in_place, 1), (by_neurons, 3)])
def test_memory_that_is_written_to_is_looked_at_again(between, events):
    """Where the network scales its spikes, the factor folds into the weights that read them."""
    network = Passing(between)
    network.other = WritingNode(step_mode="m")
    op = count(network.eval(), None, torch.rand(SAMPLES, TOKENS, 4)).ops[-1]
    kind = {1: ("binary", 1), 3: ("integer", 2)}[events]
    assert (op.name, (op.a.kind, op.a.bits)) == ("out", kind)
    assert op.a.events == events * op.a.nonzeros > 0


def test_a_view_of_several_spikes_at_once_is_read_by_itself():
    network = Passing(lambda _net, spikes: spikes[:, :, :1], INTEGER[1]).eval()
    x = torch.rand(SAMPLES, TOKENS, 4, generator=torch.Generator().manual_seed(1))
    x[:, 0] *= 0.3  # the token that is read fires less
    op = count(network, None, x).ops[-1]
    functional.reset_net(network)
    with torch.no_grad():
        spikes = network.fire(3 * network.embed(x.expand(STEPS, *x.shape)))
    assert spikes.max() > spikes[:, :, 0].max() == 1
    assert (op.a.kind, op.a.bits, op.a.events) == ("binary", 1, int(spikes[:, :, 0].sum()))


def test_neurons_inside_of_neurons_are_those_that_are_seen():
    class Outer(neuron.LIFNode):
        def __init__(self) -> None:
            super().__init__(step_mode="m")
            self.inner = neuron.LIFNode(step_mode="m")

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x)

    network = Passing(lambda net, spikes: spikes, Outer).eval()
    op = count(network, None, torch.rand(SAMPLES, TOKENS, 4)).ops[0]
    assert op.neurons.count == TOKENS * WIDTH
    assert (
        op.neurons.updates_active + op.neurons.updates_inactive
        == STEPS * SAMPLES * op.neurons.count
    )


def test_real_operands_of_a_product_are_real_even_where_they_are_zero():
    def attend(net: nn.Module, spikes: Tensor) -> Tensor:
        real = torch.relu(net.more(spikes) - 1e9)
        return spikes + 0 * (real.mT @ spikes).sum()

    network = Passing(attend).eval()
    network.more = nn.Linear(WIDTH, WIDTH)
    workload = count(network, None, torch.rand(SAMPLES, TOKENS, 4))
    (product,) = (op for op in workload.ops if op.kind == "attention_product")
    assert (product.a.kind, product.b.kind, product.b.nonzeros) == ("binary", "real", 0)
