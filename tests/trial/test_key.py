"""Keys of trials and baselines: each prints, and names its files, as itself and as no other."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoprune.errors import RecordError
from autoprune.networks.place import Place
from autoprune.trial.key import FINE_TUNED, PARENT, TrialKey
from tests.strategies import KEYS


@given(KEYS)
def test_a_key_is_what_its_text_is_read_as(key):
    assert TrialKey.parse(str(key)) == key
    assert TrialKey.of_stem(key.stem) == key


@given(st.lists(KEYS, unique=True))
def test_no_two_keys_print_alike(keys):
    assert len({str(key) for key in keys}) == len({key.stem for key in keys}) == len(keys)
    assert sorted(keys) == sorted(reversed(keys))


def test_what_makes_a_key_is_shown():
    assert repr(TrialKey(17)) == "TrialKey(17)"
    assert repr(TrialKey(17, 2)) == "TrialKey(17, 2)"
    assert repr(PARENT) == "TrialKey(name='parent')"


@given(KEYS)
def test_a_key_is_of_one_kind(key):
    assert key.is_trial + key.is_baseline + (key.repetition is not None) == 1


@given(st.text(string.printable))
def test_any_text_is_a_key_or_refused(text):
    try:
        key = TrialKey.parse(text)
    except RecordError:
        assert not text or len(text) > 200 or any(sign in text for sign in "/\\\0")
        return
    assert TrialKey.parse(str(key)) == key


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 201, "without " + "x" * 300, "1-" + "2" * 5000])
def test_a_text_that_names_no_file_is_refused(text):
    with pytest.raises(RecordError, match=r"'.{40}'\.\.\. is no trial and no baseline"):
        TrialKey.parse(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("17", TrialKey(17)),
        ("0017", TrialKey(17)),
        *((f"17{mark}", TrialKey(17)) for mark in "buw"),
        ("17-2", TrialKey(17, 2)),
        ("17@2", TrialKey(17, after=2)),
        ("17u@2", TrialKey(17, after=2)),
        ("17-1@2", TrialKey(17, 1, after=2)),
        ("fine-tuned@2", TrialKey(name="fine-tuned", after=2)),
        ("17@0", TrialKey(name="17@0")),
        ("@2", TrialKey(name="@2")),
        ("recipe 3", TrialKey.recipe(3)),
        ("17x", TrialKey(name="17x")),
        ("17-2b", TrialKey(name="17-2b")),
        ("b", TrialKey(name="b")),
        ("-2", TrialKey(name="-2")),
        ("fine-tuned", FINE_TUNED),
        ("without blocks.0.mlp", TrialKey.without(Place(0, "mlp"))),
    ],
)
def test_what_a_text_means(text, key):
    assert TrialKey.parse(text) == key


def test_stems_and_words():
    named = TrialKey.without(Place(0, "mlp"))
    keys = [TrialKey(17), TrialKey(17).again(2), FINE_TUNED, named]
    assert [key.stem for key in keys] == [
        "00017",
        "00017-2",
        "fine-tuned",
        "without_blocks.0.mlp",
    ]
    assert (TrialKey(17).words, FINE_TUNED.words) == ("trial 17", "the baseline 'fine-tuned'")


def test_what_is_read_otherwise_lies_under_the_key_that_was_trained():
    key = TrialKey(17, after=2)
    assert (key.whole, key.cell, key.whole.cell) == (TrialKey(17), "17@2", 17)
    assert (str(key), repr(key)) == ("17@2", "TrialKey(17, after=2)")
    assert TrialKey.named_by("00017@2") is None  # else it would stand for what lies at 00017


def test_trainings_of_the_recipe_are_no_baselines():
    key = TrialKey.recipe(3)
    assert (key.is_recipe, key.is_baseline, key.is_trial) == (True, False, False)
    assert key.words == "the training 'recipe 3'"
    assert TrialKey.named_by("recipe_3") == key


def test_keys_stand_in_reading_order():
    order = ["parent", "fine-tuned", "fine-tuned@1", "without blocks.2", "without blocks.2.mlp"]
    order += ["without blocks.10.attention", "without all blocks", "2", "2@1", "2@3", "10", "10-0"]
    order += ["10-1", "recipe 2", "recipe 10"]
    assert [str(key) for key in sorted(map(TrialKey.parse, reversed(order)))] == order


@pytest.mark.parametrize("text", ["../outside", "a/b", "..\\outside", "x\0", ""])
def test_a_text_that_leads_elsewhere_is_refused(text):
    with pytest.raises(RecordError, match="is no trial and no baseline"):
        TrialKey.parse(text)
