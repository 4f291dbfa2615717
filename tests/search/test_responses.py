"""Responses of parts: sums and what kinds have in common are found, and doubt is known."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from autoprune.search.block_response.axis import Axis
from autoprune.search.block_response.parts import FEATURES, TABLE, Features, Layout
from autoprune.search.block_response.process import Process
from autoprune.search.block_response.response import Data, Response, learn_response

L1P = FloatDistribution(0, 0.9, step=0.1)
PARTS = 6


def layout(*, alike: bool = True) -> Layout:
    """Layout of six blocks, which are of one kind or each of its own."""
    names = [f"blocks.{g}.l1p" if alike else f"{'abcdef'[g]}.l1p" for g in range(PARTS)]
    axes = {name: Axis(L1P) for name in names}
    return Layout(axes, lambda name: name[: -len(".l1p")], dict.fromkeys(names, True))


def settings(count: int, seed: int = 0) -> np.ndarray:
    """Random sparsities of all parts: trials x parts."""
    return 0.1 * np.random.default_rng(seed).integers(0, 10, size=(count, PARTS))


def fit(values, y, *, alike: bool = True) -> Response:
    count, own = len(y), layout(alike=alike)
    data = Data(numbers=values, y=y, weights=np.ones(count), apart=np.zeros(count))
    return Response(own, data, learn_response(own, data))


def falling_sum(values: np.ndarray) -> np.ndarray:
    """Accuracy lost branch by branch, each in its own measure."""
    return 0.95 - (np.array([0.5, 0.1, 0.3, 0.02, 0.2, 0.1]) * values**3).sum(1)


def error(model: Response, values: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(((model.predict(values)[0] - truth) ** 2).mean()))


def test_a_sum_over_parts_is_found_where_it_was_not_measured():
    known, new = settings(60), settings(100, seed=1)
    truth = falling_sum(new)
    assert error(fit(known, falling_sum(known)), new, truth) < 0.1 * truth.std()


def test_a_uniform_sweep_teaches_about_all_parts():
    """Ten trials, each of the same setting everywhere."""
    uniform = np.repeat(0.1 * np.arange(10)[:, None], PARTS, axis=1)
    new = settings(100, seed=1)
    y, truth = (0.95 - 0.1 * (values**3).sum(1) for values in (uniform, new))
    assert error(fit(uniform, y), new, truth) < 0.1 * truth.std()


def test_parts_teach_about_parts_that_are_alike():
    """Three of six were ever touched; what they do, the others do where they are of a kind."""
    known, new = settings(40), settings(100, seed=1)
    known[:, 3:] = 0
    y, truth = (0.95 - 0.1 * (values**3).sum(1) for values in (known, new))
    alike, others = (error(fit(known, y, alike=alike), new, truth) for alike in (True, False))
    assert alike < 0.1 * truth.std()
    assert others > truth.std()


def test_without_a_direction_a_response_may_turn():
    known = settings(100)
    ladder = np.zeros((10, PARTS))
    ladder[:, 0] = 0.1 * np.arange(10)
    found = fit(known, -((known[:, 0] - 0.45) ** 2)).predict(ladder)[0]
    assert found[4] > found[0] + 0.1
    assert found[5] > found[9] + 0.1


@pytest.mark.parametrize("count", [20, 80])
def test_its_uncertainty_is_that_of_its_errors(count):
    """Standardised errors of what a trial gives have a root mean square near 1."""
    new, rng = settings(500, seed=5), np.random.default_rng(6)
    squares = []
    for seed in range(4):
        known = settings(count, seed=10 + seed)
        model = fit(known, falling_sum(known) + 0.02 * rng.normal(size=count))
        mean, std = model.predict(new)
        seen = falling_sum(new) + 0.02 * rng.normal(size=len(new))
        squares.append(((seen - mean) ** 2 / (std**2 + model.process.noise**2)).mean())
    assert 0.7 < np.sqrt(np.mean(squares)) < 1.5


def test_it_is_less_sure_where_nothing_was_measured():
    known = settings(60)
    known[:, 0] = np.minimum(known[:, 0], 0.3)
    rows = np.full((2, PARTS), 0.5)
    rows[:, 0] = 0.2, 0.9
    std = fit(known, falling_sum(known), alike=False).predict(rows)[1]
    assert std[1] > 1.5 * std[0]


def test_what_was_lucky_is_not_expected_again():
    """What is expected of trials lies nearer to the truth than what was seen of them."""
    known = settings(80)
    truth, noise = falling_sum(known), 0.03 * np.random.default_rng(2).normal(size=80)
    fitted = fit(known, truth + noise).process.fitted
    assert np.abs(fitted - truth).mean() < 0.8 * np.abs(noise).mean()


def test_scales_that_lie_far_apart_leave_a_process_that_can_be_factored():
    """Scales may have been learnt when a term said next to nothing of the trials there were."""
    term = np.outer(row := np.linspace(0.5, 1, 8), row)
    scales = np.array([40.0, -1.0, -13.0])
    process = Process([term, np.eye(8)], np.sin(9 * row), np.ones(8), scales)
    assert np.isfinite(process.predict(term, np.diag(term))[0]).all()


@pytest.mark.parametrize("harsh", [True, False])
def test_features_say_nothing_at_the_gentle_end(harsh):
    made = Features([Axis(L1P), Axis(FloatDistribution(0, 1))], [harsh, not harsh], 2.0)
    ends = np.array([[0.0, 1.0], [0.9, 0.0]])
    sizes = np.abs(made.rows(ends)).max(1)
    assert sizes[0 if harsh else 1] < 1e-7
    assert sizes[1 if harsh else 0] > 0.3


def test_features_out_of_the_table_are_those_worked_out():
    axes = [Axis(L1P), Axis(CategoricalDistribution(["fixed", "layer", "channel"]))]
    made = Features(axes, [True, True], 4.0)
    rows = np.array([[0.3, 2.0], [0.9, 0.0], [0.0, 1.0]])
    assert made.rows(rows).shape[1] <= FEATURES < TABLE
    np.testing.assert_allclose(made.rows(rows), made._rows(rows), atol=1e-7)


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
    numbers = axis.numbers(values)
    positions = axis.positions(numbers)
    assert not axis.ordered or values == sorted(values)
    assert positions[[0, -1]] == pytest.approx([0, 1 if axis.ordered else len(values) - 1])
    assert (np.diff(positions) > 0).all()
    if axis.count is not None:
        assert len(values) == axis.count
        np.testing.assert_allclose(axis.levels(axis.count), numbers)
        np.testing.assert_array_equal(axis.index(numbers), np.arange(axis.count))
