"""Nothing of a pass is dropped: it is counted, known to be free, or named."""

from __future__ import annotations

import warnings

import pytest
import torch
from fvcore.nn import FlopCountAnalysis
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn
from torch.nn.attention.flex_attention import flex_attention

from autoprune.errors import CountingError
from autoprune.networks.build import adapter_for
from autoprune.workload.census.count import count

FAMILIES = ["sdt", "token", "channel", "maxformer", "cifar", "spikformer"]


@pytest.mark.parametrize("family", FAMILIES)
def test_dense_macs_are_those_that_fvcore_sees(family, small, firing_images):
    """fvcore alone, on the same batch: every MAC is an operation's or a batch norm's."""
    network, images = small(family), firing_images(3)
    workload = count(network, adapter_for(network, None), images)
    functional.reset_net(network)
    alone = FlopCountAnalysis(network, images).unsupported_ops_warnings(False)
    seen = dict(alone.uncalled_modules_warnings(False).by_operator())
    functional.reset_net(network)
    named = {item.name: item.dense_macs for item in workload.uncounted if item.dense_macs}
    assert named == {"batch_norm": seen["batch_norm"]}
    assert workload.total("dense_macs") + sum(named.values()) == sum(seen.values())
    shares = [
        workload.share_of_dense_macs(op.work.dense_macs) for op in workload.select("executed")
    ]
    shares += [workload.share_of_dense_macs(macs) for macs in named.values()]
    assert sum(shares) == pytest.approx(1)


class Plain(nn.Module):
    """A layer, neurons, a layer; `more` is done to what comes out."""

    def __init__(self, more=lambda x: x) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.T, self.more = 2, more
        self.first, self.fire = nn.Linear(4, 6), neuron.LIFNode(v_threshold=0.2, step_mode="m")
        self.head = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.more(self.head(self.fire(self.first(x.expand(self.T, *x.shape)))).mean(0))


INPUT = torch.rand(5, 4, generator=torch.Generator().manual_seed(1))


class Wrapped(nn.Module):
    """A module around a function, so that it has a name."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@torch.library.custom_op("autoprune_tests::unheard", mutates_args=())
def unheard(x: Tensor) -> Tensor:
    """An operator that torch knows nothing of."""
    return x @ torch.ones(3, 3)


@pytest.mark.parametrize(
    ("more", "name", "macs"),
    [
        (lambda x: torch.fft.fft(x).real, "_fft_r2c", 0),
        (lambda x: torch.linalg.svdvals(x), "_linalg_svd", 0),
        (unheard, "autoprune_tests::unheard", 0),
        (lambda x: torch.cdist(x, x), "_cdist_forward", 5 * 5 * 3),
        (lambda x: torch.stack([torch.dot(y, y) for y in x]), "dot", 5 * 3),
        (lambda x: nn.functional.bilinear(x, x, torch.ones(2, 3, 3)), "_trilinear", 5 * 3 * 3 * 2),
    ],
)
def test_what_may_multiply_is_named_with_its_module(more, name, macs):
    workload = count(Plain(Wrapped(more)).eval(), None, INPUT)
    (item,) = [u for u in workload.uncounted if u.name == name]
    assert item.dense_macs == macs
    assert item.reason.startswith("not counted, in more: ")
    assert ("its MACs are not known" in item.reason) == (macs == 0)
    free = {u.name for u in workload.uncounted if u.reason.endswith("no MAC")}
    assert free >= {"expand", "mean"}
    assert name not in free


@pytest.mark.parametrize(
    ("more", "macs"),
    [
        (nn.LSTM(3, 4), 5 * 4 * 4 * (3 + 4)),
        (nn.GRU(3, 4), 5 * 3 * 4 * (3 + 4)),
        (nn.GRU(3, 4, batch_first=True), 5 * 3 * 4 * (3 + 4)),
        (nn.RNN(3, 4), 5 * 4 * (3 + 4)),
        (nn.TransformerEncoderLayer(3, 1, 8, batch_first=True), 5 * (4 * 9 + 2 * 3 + 2 * 24)),
        (lambda x: torch.tensordot(x, torch.ones(3, 7), 1), 5 * 3 * 7),
        (lambda x: torch.einsum("bi,bj,ij->b", x, x, torch.ones(3, 3)), 5 * 9),
    ],
)
def test_composite_functions_are_counted_or_named_with_their_macs(more, macs):
    def after(x: Tensor) -> Tensor:
        if isinstance(more, nn.Module):  # a sequence of one
            encoder = isinstance(more, nn.TransformerEncoderLayer)
            x = x.unsqueeze(1 if encoder or more.batch_first else 0)
        out = more(x)
        return out[0] if isinstance(out, tuple) else out

    network = Plain()
    plain = count(network.eval(), None, INPUT).total("dense_macs")
    network.inner, network.more = (more if isinstance(more, nn.Module) else None), after
    workload = count(network.eval(), None, INPUT)
    named = sum(item.dense_macs for item in workload.uncounted)
    assert workload.total("dense_macs") + named - plain == macs
    assert not [item.name for item in workload.uncounted if "may multiply" in item.reason]


def test_a_product_of_what_torch_cannot_follow_is_named():
    """Numbers that left torch and came back; products of weights alone fold into them."""
    plain = count(Plain().eval(), None, INPUT)
    weights = torch.nn.Parameter(torch.ones(3, 3))
    network = Plain(lambda x: torch.from_numpy(x.numpy().copy()) @ torch.ones(3, 7))
    network.more_weights = weights
    workload = count(network.eval(), None, INPUT)
    (item,) = [u for u in workload.uncounted if u.name == "mm of constants"]
    assert item.dense_macs == 5 * 3 * 7
    assert len(workload.ops) == len(plain.ops)
    network.more = lambda x: x @ (network.more_weights @ network.more_weights)
    named = [u.name for u in count(network.eval(), None, INPUT).uncounted if not u.is_free]
    assert named == []


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_an_operator_that_takes_functions_is_refused():
    def flexible(x: Tensor) -> Tensor:
        rows = x.reshape(1, 1, 5, 3)
        return flex_attention(rows, rows, rows)

    with pytest.raises(CountingError, match=r"^more: flex_attention takes functions, .* expected"):
        count(Plain(Wrapped(flexible)).eval(), None, INPUT)


def test_a_network_is_left_as_it_was():
    network = Plain().eval()
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()]
    count(network, None, INPUT)
    network.fire.register_forward_hook(lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        count(network, None, INPUT)
    hooks[list(network.modules()).index(network.fire)] += 1
    assert hooks == [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules()]
    assert torch.backends.mha.get_fastpath_enabled()


def test_warnings_of_a_network_are_heard():
    def warn(x: Tensor) -> Tensor:
        warnings.warn("old", FutureWarning, stacklevel=1)
        return x

    with pytest.warns(FutureWarning, match="old"):
        count(Plain(warn).eval(), None, INPUT)
