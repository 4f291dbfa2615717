"""Candidates are bred: against trying every configuration, and far from all that was tried."""

from __future__ import annotations

import itertools

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution

from autoprune.search.block_response.evolve import Pool
from autoprune.search.block_response.model import Model
from autoprune.search.block_response.parts import Layout
from autoprune.search.block_response.prior import Prior, before_last_dot
from autoprune.search.block_response.trials import Trials

PRIOR = Prior(logarithmic=(False, True), reference=(0.5, 1.1))
SPACE = {
    **{f"blocks.{b}.l1p": FloatDistribution(0.0, 0.9, step=0.1) for b in range(3)},
    "neuron": CategoricalDistribution(["fixed", "layer"]),
}


def values(params) -> tuple[float, float]:
    """Accuracy and energy of three blocks."""
    l1p = [params[f"blocks.{b}.l1p"] for b in range(3)]
    loss = sum(w * s**3 for w, s in zip((0.4, 0.1, 0.02), l1p, strict=True))
    return 0.95 - loss + 0.01 * (params["neuron"] == "layer"), float(
        np.prod([1 - 0.8 * s for s in l1p])
    )


def modelled(space):
    """The model of 15 random trials, and how its parameters make up kinds."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.RandomSampler(seed=1)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for _ in range(15):
        trial = study.ask(space)
        study.tell(trial, values(trial.params))
    trials = Trials(space)
    trials.update(study, -1)
    layout = Layout(trials.axes, before_last_dot, dict.fromkeys(space, True))
    return Model(trials, PRIOR, layout, {}), layout


@pytest.fixture(scope="module")
def model():
    return modelled(SPACE)


def test_the_best_of_all_configurations_is_among_them(model):
    known, layout = model
    every = itertools.product(np.arange(10) * 0.1, np.arange(10) * 0.1, np.arange(10) * 0.1, (0, 1))
    best = known.gain(np.array([*every])).max()
    for seed in range(5):
        pool = Pool(known, layout.kinds, np.random.default_rng(seed))
        assert pool.gains[0] > (1 - 1e-6) * best
        assert (np.diff(pool.gains) <= 0).all()


def test_candidates_are_configurations_of_the_space_each_once(model):
    known, layout = model
    pool = Pool(known, layout.kinds, np.random.default_rng(0))
    points = [pool.point(index) for index in range(len(pool.gains))]
    for name, distribution in SPACE.items():
        taken = [distribution.to_internal_repr(point[name]) for point in points]
        assert all(distribution._contains(value) for value in taken)
    rounded = {tuple(v if isinstance(v, str) else round(v, 6) for v in p.values()) for p in points}
    assert len(rounded) == len(points) > 300
    numbers = known.trials.numbers(points[:5])
    np.testing.assert_allclose(known.gain(numbers), pool.gains[:5])


def test_parts_whose_values_are_any_number_are_set_as_others_of_their_kind():
    """Members of the front have values of their own, which no grid has, and not equally many."""
    known, layout = modelled(
        {name: FloatDistribution(0.0, 0.9) for name in SPACE} | {"neuron": SPACE["neuron"]}
    )
    members = {point["blocks.0.l1p"] for point in known.front_points}
    copied = set()
    for seed in range(4):
        pool = Pool(known, layout.kinds, np.random.default_rng(seed))
        copied |= {pool.point(i)["blocks.2.l1p"] for i in range(len(pool.gains))} & members
    assert copied == members
