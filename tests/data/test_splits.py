"""Some samples of a part stand for it: of every class its share, the same for the same seed."""

from __future__ import annotations

import torch

from autoprune.data.dataset import InMemory, Split
from autoprune.data.split import some_of

LABELS = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)
PART = Split(store=InMemory(torch.arange(100.0)), indices=torch.arange(100), labels=LABELS)


def samples(part: Split) -> list[float]:
    return part.inputs(slice(None)).tolist()


def test_every_class_has_its_share():
    for count in (10, 20, 50):
        counts = torch.bincount(some_of(PART, count, seed=3).labels).tolist()
        assert counts == [6 * count // 10, 3 * count // 10, count // 10]


def test_samples_keep_their_order_and_labels():
    part = some_of(PART, 33, seed=0)
    assert samples(part) == sorted(samples(part))
    assert part.labels.tolist() == LABELS[part.indices].tolist()
    assert samples(some_of(PART, 1000, seed=0)) == samples(PART)


def test_fewer_are_among_more_and_the_seed_decides():
    few, more, other = (set(samples(some_of(PART, n, s))) for n, s in ((20, 0), (40, 0), (20, 1)))
    assert few < more
    assert few == set(samples(some_of(PART, 20, 0)))
    assert few != other
