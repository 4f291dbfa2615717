"""Surfaces with known truth: what every kind promises, and that its best front is the best."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest


@pytest.fixture(scope="module")
def surfaces(root):
    place = root / "benchmarks" / "surfaces.py"
    spec = importlib.util.spec_from_file_location("surfaces", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules["surfaces"] = module
    yield spec.loader.exec_module(module) or module
    del sys.modules["surfaces"]


def random_settings(surface, count: int, most: int):
    """Configurations at random, of the parameters `most` sparsities of twenty."""
    b = surface.blocks
    counts = [most] * 2 * b + [9] * 2 * b + [3] * b + [3]
    genes = np.random.default_rng(1).integers(counts, size=(count, len(counts)))
    return genes, surface.decode(genes)


KINDS = ("additive", "multiplicative", "bottleneck", "redundant")
ALONE = ("correlated", "cliffs", "tiles", "floor")


@pytest.mark.parametrize("kind", [*KINDS, *ALONE])
def test_compressing_more_never_helps_and_never_costs_energy(surfaces, kind):
    surface = surfaces.Surface(kind=kind, blocks=3, machines=2)
    whole = surface.untouched
    assert surface.accuracy(whole) == pytest.approx(surfaces.PARENT)
    assert surface.energies(whole)[0] == pytest.approx([1.0, 1.0])
    genes, settings = random_settings(surface, 300, 18)
    genes[:, :6] += 1
    thinner = surface.decode(genes)
    assert (surface.accuracy(thinner) <= surface.accuracy(settings) + 1e-12).all()
    assert (surface.energies(thinner) <= surface.energies(settings) + 1e-12).all()
    assert surface.energies(thinner).mean() < 0.99 * surface.energies(settings).mean()


def test_half_of_the_kinds_are_for_the_table_alone(surfaces):
    assert [name for name, kind in surfaces.KINDS.items() if kind.development] == [*KINDS]
    assert set(surfaces.KINDS) == {*KINDS, *ALONE}


@pytest.mark.full
def test_the_best_front_is_that_of_all_networks_where_all_can_be_tried(surfaces):
    surface = surfaces.Surface(kind="additive", blocks=1)
    genes = np.indices((20, 20, 9, 9, 1, 3)).reshape(6, -1).T
    genes[:, 4] = 2
    [whole] = surface.volumes(surface.decode(genes))
    assert 0.995 < surface.best[0] / whole <= 1 + 1e-12


def test_what_is_seen_scatters_about_the_truth_as_so_many_samples_do(surfaces):
    surface = surfaces.Surface(kind="additive", blocks=2, samples=360)
    same = surface.decode(np.repeat(random_settings(surface, 1, 10)[0], 4000, axis=0))
    truth = surface.accuracy(same)[0]
    seen = surface.seen(same, np.random.default_rng(0))[:, 0]
    expected = np.sqrt(truth * (1 - truth) / 360 + surfaces.SCATTER**2)
    assert seen.mean() == pytest.approx(truth, abs=4 * expected / np.sqrt(4000))
    assert seen.std() == pytest.approx(expected, rel=0.05)
