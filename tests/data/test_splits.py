"""Some samples of a part stand for it: of every class its share, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from autoprune.data.dataset import About, Dataset, InMemory, MemoryMap, Split
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


def test_what_parts_share_is_held_once_and_a_file_is_not(tmp_path):
    about = About(name="numbers", classes=3, shape=(1, 1, 1))
    data = Dataset(about=about, train=PART, validation=some_of(PART, 10, seed=0), test=PART)
    assert data.held_bytes == 400
    own = replace(PART, store=InMemory(torch.arange(25.0)))
    assert replace(data, test=own).held_bytes == 500
    np.save(tmp_path / "samples.npy", np.arange(100.0))
    mapped = replace(PART, store=MemoryMap(tmp_path / "samples.npy"))
    assert replace(data, train=mapped, validation=mapped).held_bytes == 400
