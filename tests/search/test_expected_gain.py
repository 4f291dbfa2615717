"""Expected gain of hypervolume in closed form, against drawing from the predictions."""

from __future__ import annotations

import numpy as np
import pytest

from autoprune.runs.pareto import hypervolume
from autoprune.search.block_response.gain import expected_gain

FRONTS = {
    2: [[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]],
    3: [[0.2, 0.8, 0.5], [0.5, 0.5, 0.3], [0.9, 0.1, 0.7]],
    4: [[0.2, 0.8, 0.5, 0.4], [0.5, 0.5, 0.3, 0.9]],
}


def drawn_gain(front, reference, mean, std, draws: int) -> tuple[float, float]:
    """Mean gain over draws, and its standard error."""
    rng = np.random.default_rng(0)
    before = hypervolume(front, reference)
    points = mean + std * rng.standard_normal((draws, len(mean)))
    gains = [hypervolume(np.vstack([front, point]), reference) - before for point in points]
    return float(np.mean(gains)), float(np.std(gains) / np.sqrt(draws))


@pytest.mark.parametrize("objectives", [2, 3, 4])
@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_it_is_the_mean_over_draws(objectives, place):
    front, reference = np.array(FRONTS[objectives]), np.ones(objectives)
    mean, std = np.full(objectives, place), np.linspace(0.1, 0.3, objectives)
    [gain] = expected_gain(front, reference, mean[None], std[None])
    drawn, error = drawn_gain(front, reference, mean, std, 4000)
    assert gain == pytest.approx(drawn, abs=4 * error)


def test_without_a_front_it_is_the_product_of_expected_improvements():
    mean, std = np.array([[0.4, 0.7]]), np.array([[0.1, 0.2]])
    [gain] = expected_gain(np.zeros((0, 2)), np.ones(2), mean, std)
    drawn, error = drawn_gain(np.zeros((0, 2)), np.ones(2), mean[0], std[0], 20_000)
    assert gain == pytest.approx(drawn, abs=4 * error)


def test_what_is_known_for_sure_gains_its_own_hypervolume():
    front, reference = np.array(FRONTS[3]), np.ones(3)
    point = np.array([[0.4, 0.4, 0.4]])
    [gain] = expected_gain(front, reference, point, np.full((1, 3), 1e-12))
    gained = hypervolume(np.vstack([front, point]), reference) - hypervolume(front, reference)
    assert gain == pytest.approx(gained, rel=1e-9)


def test_a_dominated_point_known_for_sure_gains_nothing():
    gain = expected_gain(
        np.array(FRONTS[2]), np.ones(2), np.array([[0.6, 0.6], [1.2, 0.0]]), np.full((2, 2), 1e-12)
    )
    np.testing.assert_allclose(gain, 0, atol=1e-12)
