"""The parent of the bundled study is good enough to be worth compressing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from autoprune.study.parent import cached_parent, find_parent, parent_key
from autoprune.study.parts import load_data
from autoprune.sweep.prepare import prepare
from autoprune.trial.training import correct
from tests.short import SHORT


@pytest.mark.slow
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


@pytest.fixture
def quick(monkeypatch):
    """The short study's parent, "trained" at once, how often, and its data."""
    parts = prepare(SHORT).built.parts
    trained = []

    def train(parts, data, progress):
        trained.append(1)
        return parts.architecture.build()

    monkeypatch.setattr("autoprune.study.parent.train_parent", train)
    return parts, load_data(parts), trained


def test_a_parent_is_not_lost_where_the_cache_cannot_be_written(quick, tmp_path, monkeypatch):
    parts, data, trained = quick
    (tmp_path / "a file").touch()
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path / "a file" / "cache"))
    said = []
    find_parent(parts, data, say=said.append)
    assert len(trained) == 1
    [line] = said
    assert line.startswith("The parent is kept in the run alone: ")
    assert "Not a directory" in line


@pytest.mark.parametrize("damage", ["truncated", "foreign", "empty"])
def test_a_damaged_cached_parent_is_set_aside_and_trained_again(
    quick, tmp_path, monkeypatch, damage
):
    parts, data, trained = quick
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path))
    said: list[str] = []
    find_parent(parts, data, say=said.append)
    file = cached_parent(parts, data)
    if damage == "foreign":
        save_file({"x": torch.ones(1)}, file)
    else:
        file.write_bytes(file.read_bytes()[: 1000 * (damage == "truncated")])
    find_parent(parts, data, say=said.append)
    assert len(trained) == 2
    [line] = said
    assert line.startswith(f"The cached parent is not usable, set aside as {file}.damaged, trained")
    assert "\n" not in line
    find_parent(parts, data, say=said.append)
    assert (len(trained), len(said)) == (2, 1)


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
