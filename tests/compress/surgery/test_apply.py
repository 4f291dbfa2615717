"""compress: neutral plans change nothing; DSP equals masking the spikes of removed dimensions."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
from spikingjelly.activation_based import functional, neuron
from torch import Tensor, nn

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.surgery import criteria, dsp, l1p
from autoprune.compress.surgery.apply import Manner, compress
from autoprune.compress.surgery.held import held_at_zero
from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.compress.surgery.surgery import matrices
from autoprune.errors import CompressionError
from autoprune.networks.stand_in import Removed


def by_l1(tie, dimensions: int) -> Tensor:
    held = dsp.weights(tie, dimensions)
    return criteria.l1(held, held)


def by_magnitude(matrix) -> Tensor:
    return matrix.weight.abs()


STILL = Effort(time_steps=3, learning_rate=1e-3, epochs=0)


def run(model: nn.Module, x: Tensor) -> Tensor:
    functional.reset_net(model)
    with torch.no_grad():
        return model(x)


def test_neutral_plan_is_the_parent_bit_for_bit(network, adapter, shape, images, effort):
    for chosen in (effort, STILL):
        model = compress(network, make_plan({}, shape, chosen), adapter)
        assert torch.equal(run(model, images), run(network, images))
        assert all(
            torch.equal(a, b)
            for a, b in zip(model.state_dict().values(), network.state_dict().values(), strict=True)
        )


def test_parent_is_left_as_it_was(network, adapter, shape, effort):
    before = copy.deepcopy(network.state_dict())
    point = {"blocks.0.mlp.dsp": 0.0, "blocks.1.attention.l1p": 0.5, "blocks.0.neuron.tau": "layer"}
    compress(network, make_plan(parse_configuration(point), shape, effort), adapter)
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


class Masked(nn.Module):
    """Neurons whose spikes of some channels are multiplied by 0."""

    def __init__(self, inner: nn.Module, mask: Tensor) -> None:
        super().__init__()
        self.inner, self.mask = inner, mask

    def forward(self, x_seq: Tensor) -> Tensor:
        return self.inner(x_seq) * self.mask


@pytest.mark.parametrize("kept", [1, 2, 3, 4])
@pytest.mark.parametrize("block", [0, 1])
def test_attention_of_fewer_dimensions_equals_masked_spikes(network, adapter, images, kept, block):
    parent, images = network.double(), images.double()
    model = copy.deepcopy(parent)
    branch = adapter.branches(model)[block][0]
    assert (branch.name, branch.groups, branch.size) == ("attention", 3, 4)
    qk, v = dsp.shrink(branch, kept, by_l1)
    functional.invalidate_reset_cache(model)
    assert qk.reshape(3, 4).sum(1).tolist() == [kept] * 3
    masked = copy.deepcopy(parent)
    attention = masked.blocks[block].attn
    mask = torch.cat([qk, qk, v]).double().reshape(-1, 1)
    attention.qkv_lif = Masked(attention.qkv_lif, mask)
    functional.invalidate_reset_cache(masked)
    expected = run(masked, images)
    assert torch.equal(run(model, images), expected)
    assert expected.abs().sum() > 0
    inner, width = 3 * kept, 12
    parameters = 3 * inner * width + 2 * 3 * inner + width * inner + 2 * width
    assert sum(p.numel() for p in model.blocks[block].attn.parameters()) == parameters


@pytest.mark.parametrize("kept", [1, 7, 23, 24])
def test_mlp_of_fewer_units_equals_masked_spikes(network, adapter, images, kept):
    parent, images = network.double(), images.double()
    model = copy.deepcopy(parent)
    (mask,) = dsp.shrink(adapter.branches(model)[0][1], kept, by_l1)
    functional.invalidate_reset_cache(model)
    masked = copy.deepcopy(parent)
    mlp = masked.blocks[0].mlp
    mlp.neuron1 = Masked(mlp.neuron1, mask.double().reshape(-1, 1))
    functional.invalidate_reset_cache(masked)
    assert torch.equal(run(model, images), run(masked, images))
    width = 12
    parameters = kept * width + 2 * kept + width * kept + 2 * width
    assert sum(p.numel() for p in model.blocks[0].mlp.parameters()) == parameters


def test_zeroed_weights_are_not_the_same_as_masked_spikes(network, adapter, images):
    """Why DSP is defined by spikes: batch norm turns zeroed weights into constants that fire."""
    parent = network.double()
    model, zeroed = copy.deepcopy(parent), copy.deepcopy(parent)
    (mask,) = dsp.shrink(adapter.branches(model)[0][1], 4, by_l1)
    functional.invalidate_reset_cache(model)
    zeroed.blocks[0].mlp.fc1[0].weight.data[~mask] = 0
    assert not torch.equal(run(model, images.double()), run(zeroed, images.double()))


def test_most_significant_dimensions_stay(network, adapter):
    branch = adapter.branches(network)[0][1]
    (tie,) = branch.ties
    fc1, fc2 = (cut.module for cut in tie)
    score = by_l1(tie, 24)
    by_hand = fc1.weight[:, :, 0].abs().double().sum(1) + fc2.weight[:, :, 0].abs().double().sum(0)
    assert torch.allclose(score, by_hand, rtol=1e-12)
    mask = dsp.most_significant(score, 1, 5)
    assert score[mask].min() > score[~mask].max()
    ties = dsp.most_significant(torch.tensor([1.0, 1.0, 1.0, 2.0]), 1, 2)
    assert ties.tolist() == [True, False, False, True]


def test_removed_branch_contributes_nothing_and_has_nothing(network, adapter, shape, images):
    point = {"blocks.0.mlp.dsp": 0.0, "blocks.1.attention.dsp": 0.0}
    model = compress(network, make_plan(parse_configuration(point), shape, STILL), adapter)
    assert isinstance(model.blocks[0].mlp, Removed)
    assert isinstance(model.blocks[1].attn, Removed)
    assert not list(model.blocks[0].mlp.parameters()) + list(model.blocks[0].mlp.buffers())
    expected = copy.deepcopy(network)
    for branch in (expected.blocks[0].mlp, expected.blocks[1].attn):
        branch.register_forward_hook(lambda _m, _x, out: out * 0)
    assert torch.equal(run(model, images), run(expected, images))
    assert [b.size for b in adapter.branches(model)[0]] == [4, 0]


def test_plan_of_another_network_is_refused(network, adapter, shape, effort):
    with pytest.raises(CompressionError, match="cannot keep 9 of 4"):
        dsp.shrink(adapter.branches(network)[0][0], 9, by_l1)
    plan = make_plan({}, shape, effort)
    shorter = copy.deepcopy(network)
    del shorter.blocks[1]
    with pytest.raises(CompressionError, match="2 blocks for 1"):
        compress(shorter, plan, adapter)


def test_kept_weights_of_the_plan_are_those_of_the_network(network, adapter, shape, effort):
    point = {
        "blocks.0.attention.dsp": 0.5,
        "blocks.0.attention.l1p": 0.35,
        "blocks.0.mlp.dsp": 0.0,
        "blocks.1.mlp.l1p": 0.95,
        "blocks.1.mlp.dsp": 0.25,
    }
    plan = make_plan(parse_configuration(point), shape, effort)
    model = compress(network, plan, adapter)
    kept = sum(int(torch.count_nonzero(m.weight)) for m in matrices(model, adapter))
    assert kept == plan.kept_weights(shape) < shape.block_weights


def test_swapped_neurons_reset_copy_and_pickle(network, adapter, shape, images, effort):
    point = {f"blocks.{i}.neuron.tau": "layer" for i in (0, 1)}
    functional.reset_net(network)  # fills spikingjelly's list of modules to reset
    model = compress(network, make_plan(parse_configuration(point), shape, effort), adapter)
    first, again = run(model, images), run(model, images)
    assert torch.equal(first, again)
    assert sum(isinstance(m, SLIFNode) for m in model.modules()) == 10
    assert sum(isinstance(m, neuron.LIFNode) for m in model.modules()) == 1
    loss = model(images).sum()
    loss.backward()
    functional.reset_net(model)
    twins = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    assert all(torch.equal(run(twin, images), first) for twin in twins)
    stored = io.BytesIO()
    torch.save(model.state_dict(), stored)
    stored.seek(0)
    fresh = compress(network, make_plan(parse_configuration(point), shape, effort), adapter)
    fresh.load_state_dict(torch.load(stored))
    assert torch.equal(run(fresh, images), first)


@pytest.mark.parametrize("learned", ["layer", "channel"])
def test_soft_reset_and_inputs_that_do_not_decay_are_taken_over(
    network, adapter, shape, images, effort, learned
):
    hard = run(network, images)
    for module in network.modules():
        if isinstance(module, neuron.LIFNode):
            module.v_reset, module.decay_input = None, False
    functional.reset_net(network)
    expected = run(network, images)
    point = {f"blocks.{i}.neuron.{s}": learned for i in (0, 1) for s in ("threshold", "tau")}
    model = compress(network, make_plan(parse_configuration(point), shape, effort), adapter)
    assert torch.equal(run(model, images), expected)
    assert not torch.equal(expected, hard)


def test_neurons_that_learn_one_by_one_have_the_shape_of_what_dsp_leaves(
    network, adapter, shape, images, effort
):
    point = {
        "blocks.0.attention.dsp": 0.5,
        "blocks.0.neuron.threshold": "neuron",
        "blocks.0.neuron.tau": "neuron",
        "blocks.1.neuron.threshold": "layer",
    }
    plan = make_plan(parse_configuration(point), shape, effort)
    random = torch.get_rng_state()
    model, again, other = (
        compress(network, plan, adapter, Manner(samples=images, seed=seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), random)
    found = {n: list(p.shape) for n, p in model.named_parameters() if "threshold_log" in n}
    whole, narrow, hidden = [12, 16], [18, 16], [24, 16]
    assert [s for n, s in found.items() if n.startswith("blocks.0")] == [
        narrow,
        [3, 2, 16],
        whole,
        hidden,
        whole,
    ]
    assert all(shape == [] for n, shape in found.items() if n.startswith("blocks.1"))
    name = next(iter(found))
    first, same, third = (dict(m.named_parameters())[name] for m in (model, again, other))
    assert torch.equal(first, same) and not torch.equal(first, third)
    unknown = compress(network, plan, adapter)
    with pytest.raises(CompressionError, match="no inputs were seen"):
        run(unknown, images)
    unknown.load_state_dict(model.state_dict())
    assert torch.equal(run(unknown, images), run(model, images))


def test_time_steps_follow_the_plan(network, adapter, shape, images, effort):
    model = compress(
        network, make_plan(parse_configuration({"time_steps": 2}), shape, effort), adapter
    )
    steps = []
    model.patch_embed.neuron.register_forward_hook(lambda _m, _x, out: steps.append(len(out)))
    run(model, images)
    assert steps == [2]


def test_l1p_keeps_the_largest_weights_of_each_matrix(network, adapter):
    for matrix in adapter.branches(network)[0][0].matrices:
        before = matrix.weight.clone()
        l1p.zero_lowest(l1p.Target(matrices=(matrix,), zeros=50), by_magnitude)
        kept = matrix.weight != 0
        assert int((~kept).sum()) == 50
        assert torch.equal(matrix.weight[kept], before[kept])
        assert before[kept].abs().min() >= before[~kept].abs().max()
        assert not torch.signbit(matrix.weight[~kept]).any()  # 0.0, not -0.0


def test_l1p_drops_the_first_of_equal_weights(network, adapter):
    matrix = adapter.branches(network)[0][1].matrices[0]
    matrix.module.weight.data.fill_(-0.5)
    l1p.zero_lowest(l1p.Target(matrices=(matrix,), zeros=3), by_magnitude)
    assert (matrix.weight.flatten()[:5] == 0).tolist() == [True, True, True, False, False]
    with pytest.raises(CompressionError, match="cannot zero 999999"):
        l1p.zero_lowest(l1p.Target(matrices=(matrix,), zeros=999999), by_magnitude)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.1, nesterov=True),
    ],
)
def test_zeros_survive_weight_decay_and_momentum(
    network, adapter, shape, images, effort, optimizer
):
    point = {f"blocks.{i}.{b}.l1p": 0.6 for i in (0, 1) for b in ("attention", "mlp")}
    model = compress(network, make_plan(parse_configuration(point), shape, effort), adapter)
    held = matrices(model, adapter)
    zeros = [matrix.weight == 0 for matrix in held]
    before = [matrix.weight.clone() for matrix in held]
    optimizer = optimizer(model.parameters())
    labels = torch.arange(6) % 4
    with held_at_zero(held):
        for _ in range(10):
            functional.reset_net(model)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model.train()(images), labels).backward()
            optimizer.step()
    for matrix, zero, old in zip(held, zeros, before, strict=True):
        assert (matrix.weight[zero] == 0).all()
        assert not torch.equal(matrix.weight[~zero], old[~zero])
    # Without the hold the first step revives them: what the test would miss otherwise.
    functional.reset_net(model)
    nn.functional.cross_entropy(model(images), labels).backward()
    optimizer.step()
    assert any((m.weight[z] != 0).any() for m, z in zip(held, zeros, strict=True))
