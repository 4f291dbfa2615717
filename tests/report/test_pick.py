"""The one trial that is picked for a machine, and what is said where nothing fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from autoprune.report.front.front import MachineFront
from autoprune.report.front.pick import Limits, pick
from autoprune.report.front.run_fronts import machine_front
from autoprune.runs.pareto import non_dominated
from autoprune.trial.measurement import Score
from tests.refusals import assert_refused, refusals

POINTS = [(87, 0.01, 500), (93, 1.0, 900), (94, 10.0, 800), (95, 100.0, 1000), (88, 50.0, 100)]
"""Correct of 100, µJ, parameters; the last is on no front."""


@pytest.fixture
def front(outcome, baselines, model, shape) -> Callable[[Sequence[tuple]], MachineFront]:
    """Makes a front of POINTS; the parent has 95 of 100 and needs 100 µJ."""
    whole = machine_front([outcome(0)], baselines, model, shape)

    def make(points: Sequence[tuple[int, float, int]]) -> MachineFront:
        rows = [
            replace(
                whole.rows[0],
                trial=trial,
                validation=Score(correct=correct, total=100),
                energy_uj=energy,
                parameters=parameters,
            )
            for trial, (correct, energy, parameters) in enumerate(points)
        ]
        best = non_dominated([(row.validation.accuracy, row.energy_uj) for row in rows])
        members = tuple(rows[place] for place in best)
        return replace(whole, rows=members, points=tuple(rows), reference=(0.85, 110.0))

    return make


def trial(front, at_knee=False, **limits):
    found = pick(front(POINTS), Limits(**limits), at_knee=at_knee)
    return None if found.row is None else found.row.trial


def test_without_limits_it_is_the_knee(front) -> None:
    found = pick(front(POINTS), Limits())
    assert found.row is not None
    assert (found.row.trial, "knee of 4 members" in found.reason) == (1, True)
    assert [row.trial for row in found.runners_up] == [0, 2, 3]


def test_a_least_accuracy_alone_asks_for_the_cheapest(front) -> None:
    assert trial(front, min_accuracy=0.94) == 2
    assert trial(front, min_accuracy=0.5) == 0


def test_other_limits_ask_for_the_most_accurate(front) -> None:
    assert trial(front, max_energy_uj=10.0) == 2
    assert trial(front, max_energy_uj=9.9) == 1
    assert trial(front, max_energy_uj=99.0, min_accuracy=0.9) == 2
    assert trial(front, max_parameters=850) == 2


def test_a_trial_off_the_front_is_picked_where_it_alone_fits(front) -> None:
    assert trial(front, max_parameters=100) == 4


def test_the_knee_within_limits_is_that_of_what_keeps_them(front) -> None:
    assert trial(front, at_knee=True, max_parameters=800) == 2  # two members: nothing bends
    assert trial(front, at_knee=True, max_parameters=1000) == 1


def test_where_nothing_fits_the_binding_limit_and_the_nearest_are_named(front) -> None:
    found = pick(front(POINTS), Limits(max_energy_uj=8.0, min_accuracy=0.94))
    assert found.row is None
    # Trial 1 is 1.06 % short of accuracy, trial 2 costs 25 % too much.
    assert found.nearest is not None
    assert (found.nearest.trial, found.binding) == (1, "accuracy >= 0.94")
    assert found.beyond == pytest.approx(0.01 / 0.94)
    assert "accuracy >= 0.94 binds: the nearest, trial 1, is 1.0 points beyond it" in found.reason


def test_a_front_without_a_knee_says_so(front) -> None:
    found = pick(front([(20, 1.0, 10), (30, 2.0, 10)]), Limits())
    assert found.row is None
    assert "no member of the front lies above 85.0 %" in found.reason


@refusals(
    ({"min_accuracy": 90}, "min_accuracy: given 90; expected 0 to 1"),
    ({"max_energy_uj": -1.0}, "max_energy_uj: given -1.0; expected a number above 0"),
    ({"max_energy_uj": 0.0}, "max_energy_uj: given 0.0; expected a number above 0"),
    ({"max_parameters": 0}, "max_parameters: given 0; expected a number above 0"),
    ({"max_energy_uj": float("nan")}, "max_energy_uj: given nan"),
    ({"max_energy_uj": float("inf")}, "max_energy_uj: given inf"),
    ({"max_parameters": 10**400}, "max_parameters: given 1000*; expected a number above 0"),
)
def test_impossible_limits_are_refused(given, words) -> None:
    assert_refused(words, Limits, **given)
