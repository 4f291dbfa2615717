"""Hypervolume: against Optuna's, against counting, and its boxes against what is not dominated."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from optuna._hypervolume import compute_hypervolume

from autoprune.runs.pareto import hypervolume, minimal, non_dominated_boxes


@pytest.mark.parametrize("objectives", [2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_as_optuna_has_it(objectives, seed):
    rng = np.random.default_rng(seed)
    points = rng.random((20, objectives)).round(1 + seed % 2)  # rounded: ties and equal points
    reference = np.full(objectives, 0.9)
    within = points[(points < reference).all(1)]
    assert hypervolume(points, reference) == pytest.approx(compute_hypervolume(within, reference))


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_as_counted(objectives):
    rng = np.random.default_rng(objectives)
    points = rng.integers(0, 6, (8, objectives)).astype(float)
    cells = itertools.product(range(5), repeat=objectives)
    counted = sum(any((p <= np.array(cell)).all() for p in points) for cell in cells)
    assert hypervolume(points, np.full(objectives, 5.0)) == counted


def test_of_nothing_within_it_is_zero():
    assert hypervolume(np.array([[1.0, 0.0]]), np.array([1.0, 1.0])) == 0.0
    assert hypervolume(np.zeros((0, 2)), np.array([1.0, 1.0])) == 0.0


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_pareto_against_brute_force(objectives):
    points = np.random.default_rng(0).integers(0, 5, (40, objectives)).astype(float)
    best = {tuple(p) for p in points if not any((q <= p).all() and (q < p).any() for q in points)}
    found = minimal(points)
    assert {tuple(p) for p in found} == best
    assert len(found) == len(best)


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_every_place_that_nothing_dominates_is_in_one_box(objectives):
    rng = np.random.default_rng(objectives)
    points, reference = rng.random((12, objectives)), np.full(objectives, 0.8)
    lower, upper = non_dominated_boxes(points, reference)
    for place in rng.random((500, objectives)) - 0.1:
        boxes = ((lower < place) & (place < upper)).all(1).sum()
        free = (place < reference).all() and not (points <= place).all(1).any()
        assert boxes == free
