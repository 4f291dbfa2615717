"""Members of a front, and what fresh seeds make of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from autoprune.report.front.confirmed import Spread, confirmed_front
from autoprune.report.front.run_fronts import machine_front
from autoprune.report.tables.confirmed import confirmed_csv, confirmed_document


@pytest.fixture
def front(outcome, baselines, model, shape):
    """1, 2 and 3 are on it; 4 is dearer and worse than they are."""
    trials = [
        outcome(1, correct=60, zeros=0.9),
        outcome(2, correct=90, zeros=0.5),
        outcome(3, correct=95, zeros=0.4),
        outcome(4, correct=65, zeros=0.1),
    ]
    return machine_front(trials, baselines, model, shape)


@pytest.fixture
def again(outcome):
    """Makes repetitions of a trial from their correct samples."""

    def make(trial, corrects, zeros):
        return [outcome(f"{trial}-{i}", correct=c, zeros=zeros) for i, c in enumerate(corrects)]

    return make


def test_only_fresh_seeds_count(front, again, model):
    found = confirmed_front(
        front, [*again(1, [50, 54], 0.9), *again(2, [80, 90, 85], 0.5), *again(3, [88], 0.4)], model
    )
    rows = {row.trial: row for row in found.rows}
    assert [row.trial for row in found.rows] == [1, 2, 3]
    assert rows[2].searched.accuracy == rows[2].expected == 0.90
    assert (rows[2].choosing, rows[2].seeds) == (1, 2)
    assert rows[2].validation.mean == pytest.approx(0.875)
    assert rows[2].validation.std == pytest.approx(0.05 / 2**0.5)  # of 0.90, 0.85 over n - 1
    assert rows[2].test.mean == pytest.approx(0.875)
    assert (rows[3].choosing, rows[3].validation) == (0, Spread(mean=0.88, std=None))
    assert found.searched_hypervolume == front.hypervolume
    assert found.hypervolume < front.hypervolume  # 88 % where the search saw 95 %


def test_some_seeds_choose_and_the_others_judge(front, again, model):
    """The second is chosen over the third by what came first, whatever the later ones say."""
    kept = [*again(2, [90, 98, 60, 60], 0.5), *again(3, [60, 60, 99, 99], 0.4)]
    rows = {row.trial: row for row in confirmed_front(front, kept, model).rows}
    assert [rows[t].stays for t in (2, 3)] == [True, False]
    assert [rows[t].validation.mean for t in (2, 3)] == pytest.approx([0.60, 0.99])
    shuffled = confirmed_front(front, kept[::-1], model)
    assert shuffled == confirmed_front(front, kept, model)


def test_a_trial_that_is_no_member_or_failed_everywhere_is_left_out(front, again, model):
    found = confirmed_front(front, [*again(2, [90], 0.5), *again(4, [99], 0.1)], model)
    assert [row.trial for row in found.rows] == [2]


def test_the_probability_is_that_of_every_draw_of_seeds(front, again, outcome, model):
    """Two trials at 0 and 100 % differ in nothing but seeds: all draws can be counted."""
    first, second = [0, 100, 100], [100, 100, 0]
    found = confirmed_front(front, [*again(2, first, 0.5), *again(3, second, 0.4)], model)
    wins = [
        np.mean(b) > np.mean(a) for a in product(first, repeat=3) for b in product(second, repeat=3)
    ]
    rows = {row.trial: row for row in found.rows}
    assert rows[2].probability == 1  # the cheaper one is always on the front
    assert rows[3].probability == pytest.approx(np.mean(wins), abs=4 * 0.011)
    assert 0.2 < np.mean(wins) < 0.5


def test_the_probability_is_that_of_binomial_samples(front, again, model):
    """One seed each: 80 and 84 of 100; the dearer one wins where its binomial draw is greater."""
    found = confirmed_front(front, [*again(2, [80], 0.5), *again(3, [84], 0.4)], model)
    rng = np.random.default_rng(1)
    expected = (rng.binomial(100, 0.84, 10**6) > rng.binomial(100, 0.80, 10**6)).mean()
    rows = {row.trial: row for row in found.rows}
    assert rows[3].probability == pytest.approx(expected, abs=4 * 0.011)


def test_the_same_record_gives_the_same_report(front, again, model):
    runs = [*again(2, [80, 85], 0.5), *again(3, [84, 82], 0.4)]
    assert confirmed_front(front, runs, model) == confirmed_front(front, runs, model)


def test_tables_for_machines(front, again, model):
    found = confirmed_front(front, [*again(2, [80, 90], 0.5)], model)
    head, row = confirmed_csv([found]).splitlines()
    cells = dict(zip(head.split(","), row.split(","), strict=False))
    assert float(cells["val_mean"]) == found.rows[0].validation.mean
    assert float(cells["probability"]) == 1
    assert cells["machine"] == "ops45_fp32"
    document = confirmed_document(found)
    assert document["rows"][0]["validation"]["std"] == found.rows[0].validation.std
    assert document["searched_hypervolume"] == front.hypervolume
