"""fvcore looks at the pass that is counted, and nothing that it sees is dropped."""

from __future__ import annotations

import warnings

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn

from autoprune.errors import CountingError
from autoprune.networks.build import adapter_for
from autoprune.workload.census import count as module
from autoprune.workload.census.count import count
from autoprune.workload.census.structure import structure

FAMILIES = ["sdt", "token", "channel", "maxformer", "cifar", "spikformer"]


@pytest.mark.parametrize("family", FAMILIES)
def test_all_that_fvcore_sees_is_counted_or_named(family, small, firing_images):
    """fvcore alone, on the same batch: every MAC is an operation's or a named class's."""
    network, images = small(family), firing_images(3)
    workload = count(network, adapter_for(network, None), images)
    functional.reset_net(network)
    alone = FlopCountAnalysis(network, images).unsupported_ops_warnings(False)
    alone = alone.uncalled_modules_warnings(False)
    seen, silent = dict(alone.by_operator()), dict(alone.unsupported_ops())
    functional.reset_net(network)
    named = {item.name: item.dense_macs for item in workload.uncounted}
    assert set(named) == {"batch_norm", *silent}
    assert workload.total("dense_macs") + sum(named.values()) == sum(seen.values())
    assert named["batch_norm"] == seen["batch_norm"]
    shares = [
        workload.share_of_dense_macs(op.work.dense_macs) for op in workload.select("executed")
    ]
    shares += [workload.share_of_dense_macs(macs) for macs in named.values()]
    assert sum(shares) == pytest.approx(1)


class TwoWays(nn.Module):
    """A network whose way depends on what it is shown; one way holds what nobody counts."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.scale = 2, 1
        self.first, self.fire = nn.Linear(4, width), neuron.LIFNode(step_mode="m")
        self.head, self.extra = nn.Linear(width, 3), nn.Parameter(torch.eye(3))

    def forward(self, x: Tensor) -> Tensor:
        steps = x.expand(self.T, *x.shape)
        out = self.head(self.fire(self.first(steps))).mean(0)
        return torch.addmm(torch.zeros(3), out, self.extra) if x.mean() > 1 else out


LOW, HIGH = torch.rand(5, 4), 2 + torch.rand(5, 4)


def names(network: nn.Module, x: Tensor) -> dict[str, int]:
    return {item.name: item.dense_macs for item in count(network, None, x).uncounted}


@pytest.mark.parametrize("family", FAMILIES)
def test_fvcore_looks_once_at_a_family(family, small, firing_images, monkeypatch):
    first = count(small(family), None, firing_images(2), 2)
    monkeypatch.setattr(module, "observed", None)  # cannot be called
    assert count(small(family), None, firing_images(2), 2) == first


def test_fvcore_looks_once_at_a_structure(monkeypatch):
    first = count(TwoWays(), None, LOW)
    monkeypatch.setattr(module, "observed", None)  # cannot be called
    network = TwoWays()
    assert count(network, None, LOW) == first
    network.first.weight.data[:, 0] = 0
    assert count(network, None, LOW).ops[0].b.nonzeros < first.ops[0].b.nonzeros
    with pytest.raises(TypeError):
        count(TwoWays(width=7), None, LOW)
    with pytest.raises(TypeError):
        count(network, None, LOW[:4])


def test_another_way_through_a_network_is_looked_at_again():
    for _ in range(2):
        assert "addmm" not in names(TwoWays(), LOW)
        assert names(TwoWays(), HIGH)["addmm"] == 5 * 3 * 3


class MoreWays(TwoWays):
    """Another network of the same modules."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + 1


def test_what_decides_a_structure():
    x, plain = torch.rand(2, 4), structure(TwoWays(), torch.rand(2, 4))
    assert plain == structure(TwoWays(), x)
    assert plain != structure(TwoWays(), x.double())
    assert plain != structure(TwoWays(), x[:1])
    assert plain != structure(TwoWays(width=7), x)
    assert plain != structure(MoreWays(), x)
    other = TwoWays()
    other.scale = True  # not 1
    assert plain != structure(other, x)
    for change in (
        lambda n: setattr(n, "act", torch.relu),
        lambda n: setattr(n, "forward", lambda x: x),
        lambda n: n.head.register_forward_hook(lambda *_: None),
        lambda n: n.head.register_forward_pre_hook(lambda *_: None),
    ):
        network = TwoWays()
        change(network)
        assert structure(network, x) is None


@pytest.mark.parametrize("known", [False, True])
def test_a_network_is_left_as_it_was(known):
    network = TwoWays()
    if known:
        count(network, None, LOW)
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()]
    count(network, None, LOW)
    network.fire.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        count(network, None, LOW)
    hooks[list(network.modules()).index(network.fire)] += 1
    assert hooks == [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()]
    assert torch._C._get_tracing_state() is None


def test_more_than_fvcore_sees_is_an_error():
    seen = module.Seen({"linear": 7}, {})
    with pytest.raises(CountingError, match="linear: counted 1 dense MACs more than fvcore sees"):
        module.uncounted(seen, {"linear": 8}, ())
    with pytest.raises(CountingError, match="fvcore sees no matmul, which the census counted"):
        module.uncounted(seen, {"linear": 7, "matmul": 1}, ())


def test_warnings_of_a_network_are_heard():
    class Warns(TwoWays):
        def forward(self, x: Tensor) -> Tensor:
            warnings.warn("old", FutureWarning, stacklevel=1)
            return super().forward(x)

    with pytest.warns(FutureWarning, match="old"):
        count(Warns(), None, LOW)
