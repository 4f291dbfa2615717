"""The parent of the bundled study is good enough to be worth compressing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autoprune.study.parent import cached_parent, find_parent, parent_key
from autoprune.study.parts import load_data
from autoprune.sweep.prepare import prepare
from autoprune.trial.training import correct


@pytest.mark.full
def test_parent_of_digits(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path))
    parts = prepare("digits").built.parts
    data, epochs = load_data(parts), []
    network = find_parent(parts, data, epochs.append)
    assert correct(network, data.test) / len(data.test) >= 0.93
    assert epochs == list(range(parts.parent.epochs + 1))
    again = find_parent(parts, data, epochs.append)
    assert len(epochs) == parts.parent.epochs + 1  # out of the cache: nothing is trained
    assert correct(again, data.test) == correct(network, data.test)
    assert cached_parent(parts, data).is_file()


def test_everything_that_makes_a_parent_is_in_its_key():
    parts = prepare("digits").built.parts
    data = load_data(parts)
    other = replace(parts, seed=1)
    deeper = parts.network.model_copy(update={"depths": 3})
    shorter = parts.parent.model_copy(update={"epochs": 1})
    keys = {
        parent_key(parts, data),
        parent_key(other, data),
        parent_key(parts, load_data(other)),
        parent_key(replace(parts, network=deeper), data),
        parent_key(replace(parts, parent=shorter), data),
    }
    assert len(keys) == 5
    assert parent_key(prepare("digits", trials=9).built.parts, data) in keys
