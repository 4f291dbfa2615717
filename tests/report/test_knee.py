"""The knee of a front: where it lies, and what is answered where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from autoprune.report.front.front import MachineFront
from autoprune.report.front.knee import knee
from autoprune.report.front.run_fronts import machine_front
from autoprune.trial.measurement import Score


@pytest.fixture
def front(
    outcome, baselines, model, shape
) -> Callable[[Sequence[tuple[int, float]]], MachineFront]:
    """Makes a front of (correct of 100, µJ); the parent has 95 of 100 and needs 100 µJ."""
    whole = machine_front([outcome(0)], baselines, model, shape)

    def make(points: Sequence[tuple[int, float]]) -> MachineFront:
        rows = tuple(
            replace(
                whole.rows[0],
                trial=trial,
                validation=Score(correct=correct, total=100),
                energy_uj=energy,
            )
            for trial, (correct, energy) in enumerate(points)
        )
        return replace(whole, rows=rows, points=rows, reference=(0.85, 110.0))

    return make


def test_the_knee_is_farthest_above_the_line_over_log_energy(front) -> None:
    # Over log10 of energy: x = 0, 1/2, 3/4, 1 and y = 0, 6/8, 7/8, 1; heights 0, .25, .125, 0.
    found = knee(front([(87, 0.01), (93, 1.0), (94, 10.0), (95, 100.0)]))
    assert found.row is not None
    assert found.row.trial == 1
    assert "knee of 4 members above 85.0 % and below 110 µJ" in found.reason
    assert "cheapest (trial 0) to the most accurate (trial 3)" in found.reason


def test_members_beyond_the_reference_do_not_move_the_knee(front) -> None:
    inside = [(87, 0.01), (93, 1.0), (94, 10.0), (95, 100.0)]
    worse = [(20, 0.0), (30, 1e-9), (85, 1e-3)]
    dearer = [(96, 110.0), (99, 1e6)]
    found = knee(front([*worse, *inside, *dearer]))
    assert found.row is not None
    assert (found.row.validation.correct, found.row.energy_uj) == (93, 1.0)
    assert "knee of 4 members" in found.reason


@pytest.mark.parametrize(
    "points",
    [
        [(90, 1.0), (95, 100.0)],
        [(90, 1.0), (91, 10.0), (95, 100.0)],
    ],
)
def test_where_nothing_bends_the_most_accurate_is_taken(front, points) -> None:
    found = knee(front(points))
    assert found.row is not None
    assert found.row.validation.correct == 95
    assert "nothing bends" in found.reason


def test_equal_members_are_one_point(front) -> None:
    found = knee(front([(95, 7.0), (95, 7.0)]))
    assert found.row is not None
    assert found.row.validation.correct == 95


def test_with_one_candidate_that_one_and_with_none_none(front) -> None:
    alone = knee(front([(40, 1.0), (90, 10.0)]))
    assert alone.row is not None
    assert (alone.row.trial, "only member" in alone.reason) == (1, True)
    none = knee(front([(40, 1.0), (96, 200.0)]))
    assert none.row is None
    assert none.reason == "no member of the front lies above 85.0 % and below 110 µJ"
