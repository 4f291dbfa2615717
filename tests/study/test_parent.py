"""The parent of the bundled study is good enough to be worth compressing."""

from __future__ import annotations

from autoprune.study.build import load_data
from autoprune.study.parent import cached_parent, find_parent, parent_key
from autoprune.sweep.prepare import prepare
from autoprune.trial.training import correct


def test_parent_of_digits(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOPRUNE_CACHE", str(tmp_path))
    study = prepare("digits").study
    data, epochs = load_data(study), []
    network = find_parent(study, data, epochs.append)
    assert correct(network, data.test) / len(data.test) >= 0.93
    assert epochs == list(range(study.parent.epochs + 1))
    again = find_parent(study, data, epochs.append)
    assert len(epochs) == study.parent.epochs + 1  # out of the cache: nothing is trained
    assert correct(again, data.test) == correct(network, data.test)
    assert cached_parent(study, data).is_file()


def test_everything_that_makes_a_parent_is_in_its_key():
    study = prepare("digits").study
    data = load_data(study)
    other = study.model_copy(update={"seed": 1})
    keys = {
        parent_key(study, data),
        parent_key(other, data),
        parent_key(study, load_data(other)),
        parent_key(
            study.model_copy(update={"network": study.network.model_copy(update={"depths": 3})}),
            data,
        ),
        parent_key(
            study.model_copy(update={"parent": study.parent.model_copy(update={"epochs": 1})}),
            data,
        ),
    }
    assert len(keys) == 5
    assert parent_key(study.model_copy(update={"trials": 9}), data) in keys
