"""The front and its hypervolume against definitions, a brute-force loop and Optuna's."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume

from autoprune.runs.pareto import front_hypervolume, non_dominated
from tests.strategies import STEPS, TIED_PAIRS

REFERENCE = (0.3, 8.0)


def dominates(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return a[0] >= b[0] and 0 < a[1] <= b[1] and a != b


@given(TIED_PAIRS)
def test_members_are_exactly_the_points_that_none_dominates(
    points: list[tuple[float, float]],
) -> None:
    expected = [
        i
        for i, point in enumerate(points)
        if point[1] > 0 and not any(dominates(other, point) for other in points)
    ]
    assert sorted(non_dominated(points)) == expected


@given(TIED_PAIRS)
def test_members_are_sorted_by_energy_and_accuracy(points: list[tuple[float, float]]) -> None:
    members = [points[index] for index in non_dominated(points)]
    assert members == sorted(members, key=lambda p: p[1]) == sorted(members)


def test_equal_points_are_all_on_the_front() -> None:
    assert non_dominated([(0.9, 2.0), (0.8, 2.0), (0.9, 2.0)]) == [0, 2]


@given(TIED_PAIRS)
def test_hypervolume_is_a_sum_over_slices_of_accuracy(points: list[tuple[float, float]]) -> None:
    area = 0.0
    for i in range(STEPS):
        if i / STEPS >= REFERENCE[0]:
            reaching = [e for a, e in points if a >= (i + 1) / STEPS and 0 < e < REFERENCE[1]]
            if reaching:
                area += (math.log10(REFERENCE[1]) - math.log10(min(reaching))) / STEPS
    assert front_hypervolume(points, REFERENCE) == pytest.approx(area)


@given(TIED_PAIRS)
def test_hypervolume_is_that_of_optuna(points: list[tuple[float, float]]) -> None:
    losses = [(-a, math.log10(e)) for a, e in points if a > REFERENCE[0] and 0 < e < REFERENCE[1]]
    reference = np.array((-REFERENCE[0], math.log10(REFERENCE[1])))
    expected = compute_hypervolume(np.array(losses), reference) if losses else 0.0
    assert front_hypervolume(points, REFERENCE) == pytest.approx(expected)


@given(TIED_PAIRS, st.randoms(use_true_random=False), st.sampled_from([1e-3, 10.0, 1e6]))
def test_hypervolume_knows_neither_order_nor_unit(
    points: list[tuple[float, float]], shuffler: random.Random, unit: float
) -> None:
    shuffled = [(a, e * unit) for a, e in points]
    shuffler.shuffle(shuffled)
    changed = front_hypervolume(shuffled, (REFERENCE[0], REFERENCE[1] * unit))
    assert changed == pytest.approx(front_hypervolume(points, REFERENCE))


@given(TIED_PAIRS, st.tuples(st.floats(0, 1), st.floats(0.5, 20)))
def test_one_point_more_never_takes_away(
    points: list[tuple[float, float]], more: tuple[float, float]
) -> None:
    before, after = (
        front_hypervolume(points, REFERENCE),
        front_hypervolume([*points, more], REFERENCE),
    )
    assert after >= before - 1e-12
    if more[0] <= REFERENCE[0] or more[1] >= REFERENCE[1]:
        assert after == before


def test_a_point_without_energy_has_no_area() -> None:
    assert front_hypervolume([(0.2, 0.0)], REFERENCE) == 0
    assert front_hypervolume([(0.9, 0.0)], REFERENCE) == 0
