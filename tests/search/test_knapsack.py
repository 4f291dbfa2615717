"""The multiple-choice knapsack, against trying every choice."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from autoprune.search.block_response.knapsack import solve

MANY_CELLS = 10**6


def all_sums(parts) -> np.ndarray:
    """Sums of every choice: choices x columns."""
    return np.array([np.sum(rows, axis=0) for rows in product(*parts)])


def make_parts(seed: int, costs: int = 1, whole: bool = False) -> list[np.ndarray]:
    """Four parts of five options; integers, which tie, where `whole`."""
    rng = np.random.default_rng(seed)
    if whole:
        return [rng.integers(-3, 9, size=(5, 1 + costs)).astype(float) for _ in range(4)]
    return [rng.random((5, 1 + costs)) for _ in range(4)]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_with_fine_cells_the_whole_front_is_found(seed, whole):
    parts = make_parts(seed, whole=whole)
    _, sums = solve(parts, np.array([np.inf, np.inf]), MANY_CELLS)
    every = all_sums(parts)
    for cost in np.unique(every[:, 1]):
        best = every[every[:, 1] <= cost, 0].min()
        assert sums[sums[:, 1] <= cost + 1e-12, 0].min() == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_sums_are_those_of_the_choices(seed):
    parts = make_parts(seed, costs=2)
    choices, sums = solve(parts, np.full(3, np.inf), 50)
    for row, total in zip(choices, sums, strict=True):
        np.testing.assert_allclose(sum(part[i] for part, i in zip(parts, row, strict=True)), total)


@pytest.mark.parametrize("cells", [4, 64, MANY_CELLS])
@pytest.mark.parametrize("seed", range(5))
def test_a_budget_is_kept_exactly_however_coarse_the_cells(seed, cells):
    parts = make_parts(seed, whole=True)
    every = all_sums(parts)
    budget = np.quantile(every[:, 1], 0.2)
    choices, sums = solve(parts, np.array([np.inf, budget]), cells)
    assert len(choices)
    assert (sums[:, 1] <= budget).all()
    if cells == MANY_CELLS:
        assert sums[:, 0].min() == every[every[:, 1] <= budget, 0].min()


def test_the_one_choice_that_just_meets_a_budget_is_found():
    parts = make_parts(1, whole=True)
    least = all_sums(parts)[:, 1].min()
    _, sums = solve(parts, np.array([np.inf, least]), 16)
    assert (sums[:, 1] == least).all()
    assert len(sums)


def test_no_choice_comes_back_where_none_keeps_the_budget():
    parts = make_parts(2)
    least = all_sums(parts)[:, 1].min()
    choices, sums = solve(parts, np.array([np.inf, least - 1e-6]), 64)
    assert choices.shape == (0, 4)
    assert len(sums) == 0


def test_two_budgets_hold_together():
    parts = make_parts(3, costs=2)
    every = all_sums(parts)
    limits = np.array([np.inf, np.quantile(every[:, 1], 0.4), np.quantile(every[:, 2], 0.4)])
    _, sums = solve(parts, limits, MANY_CELLS)
    best = every[(every <= limits).all(1), 0].min()
    assert (sums <= limits).all()
    assert sums[:, 0].min() == pytest.approx(best)


def test_coarse_cells_lose_at_most_what_lies_within_a_cell():
    """With C cells of one cost, a solution costs at most one cell per part more than the best."""
    parts, cells = make_parts(4), 32
    _, sums = solve(parts, np.array([np.inf, np.inf]), cells)
    every = all_sums(parts)
    slack = len(parts) * (every[:, 1].max() - every[:, 1].min()) / cells
    for cost in np.quantile(every[:, 1], np.linspace(0, 1, 20)):
        best = every[every[:, 1] <= cost, 0].min()
        assert sums[sums[:, 1] <= cost + slack, 0].min() <= best + 1e-12
