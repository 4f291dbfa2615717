"""Responses of parts: they find sums, keep known directions, and pair only what the data pairs."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from autoprune.search.block_response.axis import RAMPS, Axis
from autoprune.search.block_response.response import Layout, Responses

L1P = FloatDistribution(0, 0.9, step=0.1)
PARTS = 4
COLUMNS = tuple(tuple(range(RAMPS * g, RAMPS * (g + 1))) for g in range(PARTS))


def settings(count: int, seed: int = 0) -> np.ndarray:
    """Random sparsities of all parts: trials x parts."""
    return 0.1 * np.random.default_rng(seed).integers(0, 10, size=(count, PARTS))


def columns(values: np.ndarray) -> np.ndarray:
    axis = Axis(L1P)
    return np.hstack([axis.rows(axis.numbers(values[:, g])) for g in range(values.shape[1])])


def fit(values, y, *, sign: int = 0, pairwise: bool = True) -> Responses:
    x = columns(values)
    layout = Layout(parts=COLUMNS, signs=np.full((1, x.shape[1]), float(sign)), pairwise=pairwise)
    return Responses(x, y[:, None], np.ones(len(y)), layout)


def falling_sum(values: np.ndarray) -> np.ndarray:
    """Accuracy lost branch by branch, each in its own measure."""
    return 0.95 - (np.array([0.5, 0.1, 0.3, 0.02]) * values**3).sum(1)


def test_a_sum_over_parts_is_found_where_it_was_not_measured():
    known, new = settings(200), settings(100, seed=1)
    mean, _ = fit(known, falling_sum(known), sign=-1).predict(columns(new))
    spread = falling_sum(new).std()
    assert np.abs(mean[:, 0] - falling_sum(new)).max() < 0.2 * spread


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_known_direction_is_kept_whatever_the_noise(sign):
    known = settings(30)
    noise = np.random.default_rng(2).normal(size=30)
    model = fit(known, noise, sign=sign)
    ladder = columns(np.repeat(np.linspace(0, 0.9, 10)[:, None], PARTS, axis=1))
    for part in COLUMNS:
        steps = np.diff(model.additive(ladder[:, part], part)[:, 0])
        assert (sign * steps >= -1e-12).all()


def test_without_a_direction_a_response_may_turn():
    known = settings(200)
    y = -((known[:, 0] - 0.45) ** 2)
    ladder = np.zeros((10, PARTS))
    ladder[:, 0] = np.linspace(0, 0.9, 10)
    x = columns(ladder)[:, COLUMNS[0]]
    found = fit(known, y).additive(x, COLUMNS[0])[:, 0]
    assert found[4] > found[0] + 0.1
    assert found[5] > found[9] + 0.1


def test_a_pair_is_found_where_one_part_changes_the_effect_of_another():
    known = settings(300)
    noise = 0.005 * np.random.default_rng(3).normal(size=300)
    y = falling_sum(known) - 0.6 * known[:, 0] ** 3 * known[:, 2] ** 3 + noise
    model, alone = fit(known, y, sign=-1), fit(known, y, sign=-1, pairwise=False)
    assert model.pairs(0)[0] == (0, 2)
    assert not alone.pairs(0)
    new = settings(100, seed=4)
    truth = falling_sum(new) - 0.6 * new[:, 0] ** 3 * new[:, 2] ** 3
    error = [np.abs(m.predict(columns(new))[0][:, 0] - truth).mean() for m in (model, alone)]
    assert error[0] < 0.8 * error[1]


def test_no_pair_is_found_in_noise():
    known = settings(200)
    found = 0
    for seed in range(20):
        noise = 0.05 * np.random.default_rng(seed).normal(size=200)
        found += len(fit(known, falling_sum(known) + noise, sign=-1).pairs(0))
    assert found <= 2


def test_its_uncertainty_covers_what_a_trial_gives():
    """About 95 % of new trials lie within two standard deviations."""
    known, new = settings(100), settings(2000, seed=5)
    rng = np.random.default_rng(6)
    y = falling_sum(known) + 0.02 * rng.normal(size=len(known))
    mean, std = fit(known, y, sign=-1).predict(columns(new))
    truth = falling_sum(new) + 0.02 * rng.normal(size=len(new))
    share = (np.abs(truth - mean[:, 0]) < 1.96 * std[:, 0]).mean()
    assert 0.90 < share < 0.99


def test_it_is_less_sure_where_nothing_was_measured():
    known = settings(60)
    known[:, 0] = np.minimum(known[:, 0], 0.3)
    std = fit(known, falling_sum(known), sign=-1).predict(
        columns(np.array([[0.2, 0.5, 0.5, 0.5], [0.9, 0.5, 0.5, 0.5]]))
    )[1]
    assert std[1, 0] > 1.5 * std[0, 0]


@pytest.mark.parametrize(
    "distribution",
    [
        L1P,
        FloatDistribution(0, 1),
        FloatDistribution(1e-4, 1e-1, log=True),
        IntDistribution(0, 2),
        IntDistribution(1, 1000, log=True),
        IntDistribution(3, 5),
        CategoricalDistribution(["fixed", "layer", "channel"]),
    ],
    ids=str,
)
def test_an_axis_offers_values_of_its_distribution(distribution):
    axis = Axis(distribution)
    values = axis.values(np.random.default_rng(0))
    assert all(distribution._contains(distribution.to_internal_repr(v)) for v in values)
    rows = axis.rows(axis.numbers(values))
    assert rows.shape == (len(values), axis.columns)
    if axis.ordered:
        assert values == sorted(values)
        np.testing.assert_allclose(rows[[0, -1]], [[0.0] * axis.columns, [1.0] * axis.columns])
        assert (np.diff(rows, axis=0) >= 0).all()
    else:
        np.testing.assert_array_equal(rows, np.eye(len(values))[:, 1:])
