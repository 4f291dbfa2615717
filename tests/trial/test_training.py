"""Data are split once and for all; training repeats itself; a broken network has no accuracy."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.surgery.apply import compress
from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.data.load import NamedData
from autoprune.data.spec import DataSpec
from autoprune.trial.training import Recipe, _loss, _schedule, batches, correct, logits, train

from ..conftest import make_network

RECIPE = Recipe(epochs=2, learning_rate=1e-2, batch_size=50, weight_decay=0.01, label_smoothing=0.1)


def key(images: torch.Tensor) -> list[bytes]:
    return sorted(image.numpy().tobytes() for image in images)


def digits(seed: int):
    return NamedData(DataSpec(name="digits"), Path()).load(seed)


def whole(part) -> torch.Tensor:
    return part.inputs(slice(None))


def test_digits_are_split_60_20_20_by_class():
    data = digits(0)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1078, 359, 360]
    assert data.train.inputs(slice(None)).shape == (1078, 1, 8, 8)
    assert (whole(data.train).min(), whole(data.train).max()) == (0, 1)
    shares = [torch.bincount(p.labels) / len(p) for p in (data.train, data.validation, data.test)]
    assert max((a - b).abs().max() for a in shares for b in shares) < 0.006
    every = key(torch.cat([whole(data.train), whole(data.validation), whole(data.test)]))
    assert len(every) == 1797
    assert key(whole(digits(0).test)) == key(whole(data.test))
    assert key(whole(digits(1).test)) != key(whole(data.test))


def test_the_parts_are_disjoint():
    data = digits(3)
    parts = [set(key(whole(p))) for p in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def small(data):
    """Four classes of the digits, so that a tiny network learns something in two epochs."""
    chosen = data.train.labels < 4
    part = data.train
    return replace(part, indices=part.indices[chosen], labels=part.labels[chosen])


def test_the_same_seed_gives_the_same_weights():
    data, told = small(digits(0)), []
    one, two, other = make_network(), make_network(), make_network()
    before = correct(one, data)
    train(one, data, RECIPE, seed=1, progress=told.append)
    train(two, data, RECIPE, seed=1)
    train(other, data, RECIPE, seed=2)
    same = [torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True)]
    differ = [torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)]
    assert all(same)
    assert not all(differ)
    assert told == [1, 2]
    assert correct(one, data) > 1.2 * before


def test_a_network_that_is_not_finite_has_no_accuracy():
    network = make_network()
    network.head.weight.data[0, 0] = float("nan")
    with pytest.raises(FloatingPointError, match="not finite"):
        correct(network, digits(0).validation)


def test_calibration_batches_repeat():
    data = digits(0).train
    one, two = (torch.stack(list(batches(data, 8, 3, seed=4))) for _ in range(2))
    assert one.shape == (3, 8, 1, 8, 8)
    assert torch.equal(one, two)


def slif_network(adapter, effort):
    """A small network whose sLIF neurons learn per channel."""
    parent = make_network()
    shape = adapter.shape(parent)
    point = {f"blocks.{i}.neuron.{w}": "channel" for i in (0, 1) for w in ("threshold", "tau")}
    return compress(parent, make_plan(parse_configuration(point), shape, effort), adapter)


def intrinsic(model):
    return [p for m in model.modules() if isinstance(m, SLIFNode) for p in m.parameters()]


def test_neurons_have_a_learning_rate_of_their_own_and_no_weight_decay(adapter, effort):
    data = small(digits(0))
    frozen, free = slif_network(adapter, effort), slif_network(adapter, effort)
    rate = replace(RECIPE, epochs=1, neuron_learning_rate=1e-30)
    train(frozen, data, rate, seed=1)
    train(free, data, replace(rate, neuron_learning_rate=None), seed=1)
    assert all(p.abs().max() < 1e-20 for p in intrinsic(frozen))
    assert all(p.abs().max() > 1e-4 for p in intrinsic(free))
    decayed = slif_network(adapter, effort)
    for parameter in intrinsic(decayed):
        parameter.data.fill_(0.3)
    heavy = replace(RECIPE, epochs=1, weight_decay=1e4, learning_rate=1e-5)
    train(decayed, data, heavy, seed=1)
    assert all((p - 0.3).abs().max() < 1e-3 for p in intrinsic(decayed))


def test_mixed_precision_trains_something_else_but_close():
    data = small(digits(0))
    full, mixed = make_network(), make_network()
    recipe = replace(RECIPE, epochs=1)
    train(full, data, recipe, seed=1)
    train(mixed, data, replace(recipe, precision="bf16"), seed=1)
    pairs = list(zip(full.parameters(), mixed.parameters(), strict=True))
    assert any(not torch.equal(a, b) for a, b in pairs)
    assert all(b.dtype == torch.float32 for _, b in pairs)
    assert abs(correct(full, data) - correct(mixed, data)) < 0.15 * len(data)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_training_on_a_gpu_repeats_itself(precision):
    data, results = small(digits(0)), []
    for _ in range(2):
        network = make_network().cuda()
        train(network, data, replace(RECIPE, precision=precision), seed=1)
        results.append(correct(network, data))
    assert results[0] == results[1] > 0.3 * len(data)


class Emits(nn.Module):
    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape, self.weight = shape, nn.Parameter(torch.ones(()))

    def forward(self, x):
        return torch.arange(float(torch.Size(self.shape).numel())).reshape(self.shape)


def test_logits_are_averaged_over_time():
    inputs = torch.zeros(2, 1, 8, 8)
    assert logits(Emits(2, 4), inputs).shape == (2, 4)
    assert torch.equal(logits(Emits(3, 2, 4), inputs), Emits(3, 2, 4)(inputs).mean(0))
    for shape in ((5, 4), (4,), (1, 2, 3, 4), (3, 5, 4)):
        with pytest.raises(TypeError, match="expected logits"):
            logits(Emits(*shape), inputs)


def test_the_learning_rate_warms_up():
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=1.0)
    schedule, seen = _schedule(optimizer, 12, 4), []
    for _ in range(12):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert seen[:4] == pytest.approx([0.25, 0.4375, 0.625, 0.8125])
    assert seen[4] == pytest.approx(1.0)
    assert all(a > b for a, b in itertools.pairwise(seen[4:]))
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.0, abs=1e-9)


def test_the_target_of_a_mixed_batch_is_mixed():
    out = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    labels, others = torch.tensor([0, 1, 2, 3, 0, 1]), torch.tensor([1, 1, 0, 2, 3, 0])
    soft = 0.3 * nn.functional.one_hot(labels, 4) + 0.7 * nn.functional.one_hot(others, 4)
    expected = nn.functional.cross_entropy(out, soft.float(), label_smoothing=0.1)
    assert torch.allclose(_loss(out, labels, others, 0.3, 0.1), expected)
    alone = nn.functional.cross_entropy(out, labels)
    assert torch.equal(_loss(out, labels, others, 1.0, 0.0), alone)


def test_mixup_mixes_until_it_ends():
    data, weights = small(digits(0)), {}
    settings = {"plain": {}, "mixed": {"mixup": 0.5}, "ended": {"mixup": 0.5, "mixup_epochs": 0}}
    for name, changes in settings.items():
        torch.manual_seed(0)
        network = make_network()
        train(network, data, replace(RECIPE, epochs=1, **changes), seed=1)
        weights[name] = network.head.weight.detach()
    assert torch.equal(weights["plain"], weights["ended"])
    assert not torch.equal(weights["plain"], weights["mixed"])
