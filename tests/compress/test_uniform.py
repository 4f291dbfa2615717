"""The uniform sweep: what it lists everywhere, and what is dealt out over it."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoprune.compress.effort import Effort
from autoprune.compress.space import SearchSpace, load_space
from autoprune.compress.uniform import deal, uniform_sweep
from autoprune.errors import InputError

EFFORT = Effort(time_steps=4, learning_rate=1e-3, epochs=2)


def space(**changes) -> SearchSpace:
    """One that lists four pairs of L1P and DSP, with what is given in place of its tables."""
    tables = {
        "title": "a space",
        "branch": {
            "attention": {"l1p": {"values": [0.0, 0.5, 0.8]}},
            "mlp": {"l1p": {"values": [0.0, 0.5, 0.8]}, "dsp": {"values": [0.5, 1.0]}},
        },
        "neuron": {"tau": {"values": ["fixed", "layer"]}},
        "model": {"time_steps": {"values": [2, 4]}},
        "uniform": {"l1p": [0.5, 0.8], "dsp": [1.0, 0.5]},
    }
    return SearchSpace.model_validate(tables | changes)


def swept(offered: SearchSpace, shape, *names: str) -> list[tuple]:
    """What the sweep sets under these names; the same in every block."""
    found = []
    for same in uniform_sweep(offered, shape, EFFORT):
        values = [{value for p, value in same.items() if p.setting == name} for name in names]
        assert all(len(of_one) == 1 for of_one in values)
        found.append(tuple(of_one.pop() for of_one in values))
    return found


def test_it_is_complete_and_deals_out_time_steps_and_neurons(shape):
    assert swept(space(), shape, "l1p", "dsp", "tau", "time_steps") == [
        (0.5, 1.0, "fixed", 4),
        (0.5, 0.5, "layer", 2),
        (0.8, 1.0, "layer", 4),
        (0.8, 0.5, "fixed", 2),
    ]
    assert all(same.keys() == space().parameters(shape).keys() for same in sweep(shape))


def sweep(shape) -> list[dict]:
    return uniform_sweep(space(), shape, EFFORT)


def test_what_is_listed_is_combined_instead(shape):
    lists = {"l1p": [0.5], "dsp": [1.0], "tau": ["layer"], "time_steps": [4, 2]}
    crossed = space(uniform=lists)
    assert swept(crossed, shape, "tau", "time_steps") == [("layer", 4), ("layer", 2)]


@pytest.mark.parametrize(("bits", "first"), [([4, 6, 8], 8), ([4, 32], 32)])
def test_the_most_bits_come_first(shape, bits, first):
    rounded = space(model={"weight_bits": {"values": bits}})
    dealt = [value for (value,) in swept(rounded, shape, "weight_bits")]
    assert dealt[0] == first
    assert {*dealt} == {*bits}


def test_stem_and_unlisted_settings_of_blocks_stay_neutral(shape):
    stem = space(stem={"l1p": {"values": [0.0, 0.5]}}, uniform={"dsp": [0.5]})
    [same] = uniform_sweep(stem, shape, EFFORT)
    assert {value for p, value in same.items() if p.setting == "l1p"} == {0.0}


def test_a_space_without_the_studys_effort_is_refused(shape):
    with pytest.raises(InputError, match="time_steps: the study begins with 4.*one of 2, 3"):
        uniform_sweep(space(model={"time_steps": {"values": [2, 3]}}), shape, EFFORT)


LISTS = st.lists(st.integers(1, 4), min_size=1, max_size=3)


@given(LISTS, st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_every_value_stands_in_every_third_and_equally_often(listed, dealt):
    rows = list(itertools.product(*map(range, listed)))
    for column, many in zip(
        itertools.islice(zip(*deal(rows, [*map(range, dealt)]), strict=True), len(listed), None),
        dealt,
        strict=True,
    ):
        times = Counter(column)
        assert max(times.values()) - min(times[value] for value in {*column}) <= 1
        assert len(times) == min(many, len(rows))
        if len(rows) >= 3 * many:
            third = [index * 3 // len(rows) for index in range(len(rows))]
            assert len({*zip(third, column, strict=True)}) == 3 * many


def test_of_more_values_than_combinations_the_ends_are_taken():
    assert deal([(0,), (1,), (2,)], [range(9)]) == [(0, 0), (1, 4), (2, 8)]


def test_the_digits_are_swept_at_every_number_of_time_steps(shape):
    rows = swept(load_space("digits"), shape, "l1p", "dsp", "time_steps")
    assert sorted({*rows}) == sorted(itertools.product((0.5, 0.8, 0.95), (0.5, 1.0), (2, 3, 4)))
    neurons = Counter(swept(load_space("digits"), shape, "threshold", "tau"))
    assert neurons.keys() == {*itertools.product(("fixed", "layer", "channel"), repeat=2)}
    assert set(neurons.values()) == {2}
