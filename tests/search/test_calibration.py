"""Calibration: errors and gains of trials beside what was noted when they were proposed."""

from __future__ import annotations

import math
from dataclasses import replace

import optuna
import pytest
from optuna.distributions import FloatDistribution

from autoprune.report.tables.calibration import calibration_lines
from autoprune.search.block_response.calibration import (
    BEFORE,
    EXPECTED,
    GAIN,
    LAST,
    MOST,
    USUAL_GAIN,
    USUAL_KEPT,
    USUAL_SCALE,
    USUAL_SHIFT,
    Expected,
    Record,
    calibration,
)

NAMES = ("accuracy", "energy")


def trial(values, gain=None, constraints=None, **changes):
    """A trial, and what was expected of it: 0.8 with a doubt of 0.1, 1 with a doubt of a decade."""
    expected = Expected(
        **{
            "mean": [-0.8, 0.0],
            "std": [0.1, 1.0],
            "shift": [0.0, 0.0],
            "scale": [1.0, 1.0],
            "kept": 1.0,
            "signs": [-1.0, 1.0],
            "log": [False, True],
            "fronts": [[0, 1]],
            "reference": [-0.5, 1.0],
            "span": [0.5, 2.0],
            **changes,
        }
    )
    noted = {} if gain is None else {GAIN: gain, EXPECTED: expected.to_dict()}
    found = optuna.trial.create_trial(
        values=values,
        params={"x": 0.5},
        distributions={"x": FloatDistribution(0, 1)},
        system_attrs=noted,
    )
    for name, value in (constraints or {}).items():
        found.set_constraint(name, value)
    return found


def test_errors_are_in_expected_standard_deviations():
    found = calibration([trial([0.7, 10.0], 0.1), trial([0.6, 0.1], 0.1)], NAMES)
    assert found.trials == 2
    assert found.errors == pytest.approx({"accuracy": math.sqrt(2.5), "energy": 1.0})


def test_what_was_missed_before_moves_and_widens_what_is_expected():
    changed = {"shift": [0.5, 0.0], "scale": [0.5, 2.0]}
    found = calibration([trial([0.7, 10.0], 0.1, **changed)], NAMES)
    assert found.errors == pytest.approx({"accuracy": 1.0, "energy": 0.5})


def test_gains_are_shares_of_the_box_beside_all_trials_before():
    """The first point takes (0.7 - 0.5) x 1 of 0.5 x 2; the next adds a strip, the last nothing."""
    trials = [trial([0.7, 1.0]), trial([0.8, 1.0], 0.3), trial([0.6, 2.0], 0.2)]
    found = calibration(trials, NAMES)
    assert found.realised == pytest.approx(0.1)
    assert found.expected == pytest.approx(0.5)
    assert found.ratio == pytest.approx(5.0)
    assert calibration(trials[::2], NAMES).ratio is None


def test_a_trial_beyond_a_budget_gains_nothing_and_hides_nothing():
    beyond = trial([0.8, 1.0], 0.3, constraints={"energy": 1.0})
    found = calibration([beyond, trial([0.7, 1.0], 0.2)], NAMES)
    assert found.realised == pytest.approx(0.2)


def test_a_network_that_costs_nothing_is_on_no_front_and_no_error():
    found = calibration([trial([0.8, 0.0], 0.3), trial([0.7, 1.0], 0.2)], NAMES)
    assert found.trials == 1
    assert found.realised == pytest.approx(0.2)


def test_nothing_is_said_of_a_sampler_that_expects_nothing():
    assert calibration([trial([0.8, 1.0])], NAMES) is None


def proposed(count: int, **changes) -> Record:
    """A record of as many proposals that all were off by 2 and half a standard deviation."""
    record = Record()
    for _ in range(count):
        record.add(trial([0.6, 10**0.5], 0.3, **changes))
    return record


def test_before_the_first_proposal_the_usual_is_expected():
    shift, scale = Record().misses(2)
    assert shift == pytest.approx([USUAL_SHIFT, USUAL_SHIFT])
    assert scale == pytest.approx([USUAL_SCALE, USUAL_SCALE])
    assert Record().kept == pytest.approx(USUAL_KEPT)


def test_the_last_proposals_move_and_narrow_what_is_expected_of_the_next():
    record = proposed(LAST, mean=[-0.6, 0.5])
    for _ in range(LAST):
        record.add(trial([0.6, 10**0.5], 0.3))
    shift, scale = record.misses(2)
    assert shift == pytest.approx([2, 0.5], rel=0.1)
    left = 2 * BEFORE / (LAST + 2 * BEFORE)  # of what is usual, where nothing scatters
    assert scale == pytest.approx([USUAL_SCALE * left**0.5] * 2, rel=0.02)
    assert (scale < 0.6).all()


def test_one_that_was_off_by_far_widens_what_is_expected_within_limits():
    """Off by 40 standard deviations is as by MOST; another by 8 counts whole."""
    far, whole = (proposed(1, mean=[-0.6, 0.5 - off]).misses(2) for off in (40, 8))
    shift, scale = (float(part[1]) for part in far)
    assert shift == pytest.approx((MOST + BEFORE * USUAL_SHIFT) / (1 + BEFORE))
    usual = 2 * BEFORE * USUAL_SCALE**2
    assert scale**2 == pytest.approx(((MOST - shift) ** 2 + usual) / (1 + 2 * BEFORE))
    assert whole[0][1] == pytest.approx((8 + BEFORE * USUAL_SHIFT) / (1 + BEFORE))


def test_trials_may_end_in_any_order():
    """As several processes have them: what is expected next depends on the trials alone."""
    trials = [trial([0.6, 1.0], 0.3), trial([0.7, 2.0], 0.2), trial([0.8, 4.0], 0.1)]
    records = [Record(), Record()]
    for number, one in enumerate(trials):
        one.number = number
    for record, order in zip(records, ((0, 1, 2), (2, 0, 1)), strict=True):
        for number in order:
            record.add(trials[number])
    assert records[0].kept == records[1].kept
    assert records[0].misses(2)[0].tolist() == records[1].misses(2)[0].tolist()


def test_what_was_corrected_is_not_corrected_twice():
    """Whatever was expected, misses are those of the responses, and gains those they promised."""
    plain = proposed(6)
    corrected = proposed(6, shift=[1.0, 1.0], scale=[2.0, 2.0])
    assert [*plain.misses(2)[0]] == [*corrected.misses(2)[0]]
    assert proposed(6, kept=0.5).kept == pytest.approx(proposed(6).kept / 2, rel=0.2)


def test_a_part_of_what_was_promised_is_kept():
    """The first of equal trials gains a tenth, the others nothing, of 0.3 that each promised."""
    record = proposed(LAST)
    promised = 0.3 * LAST + USUAL_GAIN
    assert record.kept == pytest.approx((0.05 + USUAL_KEPT * USUAL_GAIN) / promised)


def test_it_is_said_in_words():
    found = calibration([trial([0.7, 10.0], 0.2), trial([0.7, 1.0], 0.3)], NAMES)
    [said] = calibration_lines(found)
    assert "Of 2 proposals" in said
    assert "off by 1 (accuracy)" in said
    assert "promised 2.5 times the gain that came" in said
    assert "and none came" in next(calibration_lines(replace(found, realised=1e-9)))
    assert not [*calibration_lines(None)]
