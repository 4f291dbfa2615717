"""What weights and dimensions are ranked by: weights, spikes, both, or a function of one's own."""

from __future__ import annotations

import pytest
import torch
from spikingjelly.activation_based import functional
from torch import nn

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.surgery import criteria
from autoprune.compress.surgery.apply import Manner, compress, reshape, subject_of, thin, training
from autoprune.compress.surgery.criteria import Criterion
from autoprune.compress.surgery.dsp import significance, weights
from autoprune.compress.surgery.l1p import Target, ranked, zero_lowest
from autoprune.compress.surgery.rates import input_rates
from autoprune.compress.surgery.surgery import matrices
from autoprune.errors import CompressionError, InputError
from autoprune.networks.adapter import Matrix

BOTH = {"l1p_score": "magnitude_activity"}


@pytest.fixture
def spikes(network, images):
    """The spikes [T, B, C, L] that the first block's q, k, v and hidden neurons emit."""
    seen = {}
    block = network.blocks[0]
    for name, neuron in (("qkv", block.attn.qkv_lif), ("hidden", block.mlp.neuron1)):
        neuron.register_forward_hook(lambda _m, _x, out, name=name: seen.update({name: out}))
    with torch.no_grad():
        network(images)
    functional.reset_net(network)
    return seen


def test_activity_is_the_firing_rate(network, adapter, images, spikes):
    def by(name: str):
        manner = Manner(options={"dsp_score": name}, samples=images)
        return significance(subject_of(network, adapter, manner), [attention, mlp])

    attention, mlp = adapter.branches(network)[0]
    activity = by("activity")
    rates = spikes["qkv"].double().mean((0, 1, 3))
    (qk, v), (hidden,) = attention.ties, mlp.ties
    assert torch.allclose(activity(qk, 12), rates[:12] + rates[12:24])
    assert torch.allclose(activity(v, 12), rates[24:])
    assert torch.allclose(activity(hidden, 24), spikes["hidden"].double().mean((0, 1, 3)))
    l1 = weights(qk, 12).abs().sum(1)
    assert torch.equal(by("l1")(qk, 12), l1)
    assert torch.equal(by("l1_activity")(qk, 12), l1 * activity(qk, 12))
    assert len(activity(qk, 12).unique()) > 3


def test_the_most_active_units_stay(network, adapter, shape, images, effort, spikes):
    plan = make_plan(parse_configuration({"blocks.0.mlp.dsp": 0.25}), shape, effort)
    model = compress(
        network, plan, adapter, Manner(options={"dsp_score": "activity"}, samples=images)
    )
    rates = spikes["hidden"].double().mean((0, 1, 3))
    kept = rates.argsort(descending=True, stable=True)[:6].sort().values
    parent = network.blocks[0].mlp.fc1[0].weight[kept]
    assert torch.equal(model.blocks[0].mlp.fc1[0].weight, parent)
    by_weight = compress(network, plan, adapter)
    assert not torch.equal(by_weight.blocks[0].mlp.fc1[0].weight, parent)


def test_swapped_neurons_are_reset_after_activity_was_measured(
    network, adapter, shape, images, effort
):
    """Measuring fills spikingjelly's list of modules to reset, which the swap must invalidate."""
    point = {f"blocks.{i}.neuron.tau": "layer" for i in (0, 1)} | {"blocks.0.mlp.dsp": 0.5}
    ranking = Manner(options={"dsp_score": "activity"}, samples=images)
    model = compress(
        network, make_plan(parse_configuration(point), shape, effort), adapter, ranking
    )
    with torch.no_grad():
        first = model(images)
        functional.reset_net(model)
        assert torch.equal(model(images), first)


def test_weights_of_large_magnitude_and_rate_stay(network, adapter, shape, images, effort, spikes):
    """fc2 reads the hidden neurons, whose spikes the fixture has seen."""
    plan = make_plan(parse_configuration({"blocks.0.mlp.l1p": 0.7}), shape, effort)
    model = compress(network, plan, adapter, Manner(options=BOTH, samples=images))
    weight = network.blocks[0].mlp.fc2[0].weight.detach().flatten(1)
    scores = weight.abs() * spikes["hidden"].float().mean((0, 1, 3))
    kept = model.blocks[0].mlp.fc2[0].weight.detach().flatten(1) != 0
    assert scores[kept].min() > scores[~kept].max()
    assert int((~kept).sum()) == round(0.7 * kept.numel())
    by_weight = compress(network, plan, adapter).blocks[0].mlp.fc2[0].weight.flatten(1)
    assert not torch.equal(by_weight != 0, kept)


def test_inputs_that_never_fire_do_not_bring_zeros_back(network, adapter, shape, images, effort):
    """By N:M and L1P, and while pruning is gradual: as many zeros as the plan says, no more."""
    with torch.no_grad():
        network.blocks[0].mlp.fc1[1].weight[:8] = 0  # eight hidden units are silent
        network.blocks[0].mlp.fc1[1].bias[:8] = -9
    point = {"blocks.0.mlp.nm": "1:2", "blocks.0.mlp.l1p": 0.6}
    plan = make_plan(parse_configuration(point), shape, effort)
    for schedule in ("one_shot", "gradual"):
        manner = Manner(options={**BOTH, "l1p_schedule": schedule}, samples=images)
        model = reshape(network, plan, adapter, manner)
        subject = subject_of(model, adapter, manner, trains=True)
        thin(subject, plan)
        with training(subject, plan) as step:
            if step is not None:
                for done in (0.25, 0.5, 1.0):
                    step(done)
        found = sum(int(torch.count_nonzero(m.weight)) for m in matrices(model, adapter))
        assert found == plan.kept_weights(shape)


def test_a_convolution_has_a_rate_per_channel_and_tap():
    """Groups read channels of their own, and a matrix may be some rows of a layer."""
    torch.manual_seed(0)
    layer = nn.Conv2d(4, 6, (1, 3), groups=2, bias=False, padding=(0, 1))
    x = torch.rand(2, 4, 5, 5) * torch.tensor([0.0, 1, 2, 3]).reshape(4, 1, 1)
    network = nn.Sequential(layer)
    rates = x.double().mean((0, 2, 3))
    assert torch.allclose(input_rates(network, [layer], x)[layer], rates)
    held = Matrix(name="m", module=layer, rows=slice(1, 5))
    criterion = {"l1p_score": "magnitude_activity", "l1p_schedule": "one_shot"}

    class Subject:
        options, samples = criterion, x

    Subject.network = network
    found = ranked(Subject, [Target(matrices=(held,), zeros=1)])(held)
    for row, output in enumerate(range(1, 5)):
        for column in range(6):
            channel = 2 * (output // 3) + column // 3
            expected = layer.weight.detach()[output].flatten()[column].abs() * rates[channel]
            assert found[row, column].item() == pytest.approx(expected.item(), rel=1e-6)


def test_a_layer_that_is_never_called_has_no_rate(network, images):
    network.spare = nn.Linear(3, 2)
    with pytest.raises(CompressionError, match=r"Linear\(in_features=3.*never calls it"):
        input_rates(network, [network.spare], images)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        (lambda weights, rates: weights.sum(1), r"gave scores of size \[2\].*numbers of size \[2"),
        (lambda weights, rates: weights / 0 * 0, "6 of them not a number"),
        (lambda weights, rates: weights @ weights, "RuntimeError: mat1 and mat2"),
    ],
)
def test_a_score_of_ones_own_that_is_wrong_is_named(monkeypatch, own, message):
    monkeypatch.setattr(criteria, "own", own, raising=False)
    held = Matrix(name="m", module=nn.Linear(3, 2))
    criterion = Criterion.named("autoprune.compress.surgery.criteria:own")
    with pytest.raises(CompressionError, match=f"^autoprune.*:own.*{message}"):
        zero_lowest(
            Target(matrices=(held,), zeros=2),
            lambda m: criterion.scores(m.weight, torch.ones(1, 3), m.weight.shape),
        )


def test_unknown_criterion():
    with pytest.raises(InputError, match="a score: given 'activty'; expected module:name"):
        Criterion.named("activty")


def test_a_score_that_writes_into_what_it_is_given_leaves_the_network_as_it_is():
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    Criterion("own", lambda weights, rates: weights.abs_()).scores(
        layer.weight.data, torch.ones(1, 3), layer.weight.shape
    )
    assert torch.equal(layer.weight, before)
