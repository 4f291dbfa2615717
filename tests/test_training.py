"""Data are split once and for all; training repeats itself; a broken network has no accuracy."""

from __future__ import annotations

import pytest
import torch

from autoprune.data import digits
from autoprune.training import Recipe, batches, correct, train

from .conftest import make_network

RECIPE = Recipe(epochs=2, learning_rate=1e-2, batch_size=50, weight_decay=0.01, label_smoothing=0.1)


def key(images: torch.Tensor) -> list[bytes]:
    return sorted(image.numpy().tobytes() for image in images)


def test_digits_are_split_60_20_20_by_class():
    data = digits.load(0)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1078, 359, 360]
    assert data.train.inputs.shape == (1078, 1, 8, 8)
    assert (data.train.inputs.min(), data.train.inputs.max()) == (0, 1)
    shares = [torch.bincount(p.labels) / len(p) for p in (data.train, data.validation, data.test)]
    assert max((a - b).abs().max() for a in shares for b in shares) < 0.006
    every = key(torch.cat([data.train.inputs, data.validation.inputs, data.test.inputs]))
    assert len(every) == 1797
    assert key(digits.load(0).test.inputs) == key(data.test.inputs)
    assert key(digits.load(1).test.inputs) != key(data.test.inputs)


def test_the_parts_are_disjoint():
    data = digits.load(3)
    parts = [set(key(p.inputs)) for p in (data.train, data.validation, data.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))


def small(data):
    """Four classes of the digits, so that a tiny network learns something in two epochs."""
    chosen = data.train.labels < 4
    return type(data.train)(inputs=data.train.inputs[chosen], labels=data.train.labels[chosen])


def test_the_same_seed_gives_the_same_weights():
    data, told = small(digits.load(0)), []
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
    assert correct(one, data) > 1.5 * before


def test_a_network_that_is_not_finite_has_no_accuracy():
    network = make_network()
    network.head.weight.data[0, 0] = float("nan")
    with pytest.raises(FloatingPointError, match="not finite"):
        correct(network, digits.load(0).validation)


def test_calibration_batches_repeat():
    data = digits.load(0).train
    one, two = (torch.stack(list(batches(data, 8, 3, seed=4))) for _ in range(2))
    assert one.shape == (3, 8, 1, 8, 8)
    assert torch.equal(one, two)
