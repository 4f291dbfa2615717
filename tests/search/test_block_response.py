"""block_response: Optuna's own tests for samplers, what it depends on, and what it finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from autoprune.search.block_response import GAIN, BlockResponseSampler, Prior
from autoprune.search.block_response.calibration import Record

WEIGHTS = {"a": 0.4, "b": 0.1, "c": 0.02}
PRIOR = Prior(
    monotone={f"{part}.l1p": (-1, -1) for part in WEIGHTS},
    logarithmic=(False, True),
    reference=(0.5, 1.1),
)


class TestAsOptunaDoes(
    BasicSamplerTestCase, RelativeSamplerTestCase, MultiObjectiveSamplerTestCase
):
    """Optuna's tests for a sampler of any study."""

    @pytest.fixture
    def sampler(self):
        return lambda: BlockResponseSampler(startup_trials=1, seed=0)


def objectives(trial: optuna.Trial) -> tuple[float, float]:
    """Accuracy and energy of a network of three parts, of which the last carries little."""
    accuracy, energy = 0.95, 1.0
    for part, weight in WEIGHTS.items():
        sparsity = trial.suggest_float(f"{part}.l1p", 0.0, 0.9, step=0.1)
        accuracy -= weight * sparsity**3
        energy *= 1 - 0.8 * sparsity
    return accuracy, energy


def search(prior: Prior, trials: int, objective=objectives, seed: int = 0) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = BlockResponseSampler(prior, seed=seed, startup_trials=4)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    study.optimize(objective, n_trials=trials)
    return study


def plans(study: optuna.Study) -> list[tuple[float, ...]]:
    return [tuple(trial.params.values()) for trial in study.trials]


def test_no_configuration_is_proposed_twice():
    found = plans(search(PRIOR, 24))
    assert len(set(found[4:])) == 20
    assert not set(found[4:]) & set(found[:4])


def test_nor_two_that_are_the_same_to_its_user():
    """Here the third part does not matter to what a configuration is."""
    prior = Prior(identity=lambda params: (params["a.l1p"], params["b.l1p"]))
    found = [plan[:2] for plan in plans(search(prior, 24))]
    assert len(set(found[4:])) == 20


def test_it_finds_the_part_that_carries_nothing():
    """After few trials most of what it tries prunes the last part hard and the first hardly."""
    found = plans(search(PRIOR, 30))[10:]
    mean = [sum(plan[k] for plan in found) / len(found) for k in range(3)]
    assert mean[2] > 0.6
    assert mean[0] < mean[1] < mean[2]


def asked_again(study: optuna.Study, number: int, seed: int) -> dict[str, float]:
    """What a new sampler proposes as trial `number` of a study."""
    again = optuna.create_study(
        directions=["maximize", "minimize"],
        sampler=BlockResponseSampler(PRIOR, seed=seed, startup_trials=4),
    )
    again.add_trials(study.trials[:number])
    return again.ask(study.trials[0].distributions).params


@pytest.mark.full
def test_proposals_depend_on_seed_number_and_trials_alone():
    """Also where scales were learnt from fewer trials than there are, as from 24 on."""

    def continuous(trial):
        a, b = (trial.suggest_float(f"{part}.l1p", 0.0, 0.9) for part in "ab")
        return 0.95 - 0.4 * a**3 - 0.1 * b**3, (1 - 0.8 * a) * (1 - 0.8 * b)

    study, numbers = search(PRIOR, 29, continuous), (6, 27, 28)
    found = [study.trials[number].params for number in numbers]
    assert [asked_again(study, number, seed=0) for number in numbers] == found
    assert [asked_again(study, number, seed=1) for number in numbers] != found


def test_trials_that_run_are_not_proposed_again():
    study = search(PRIOR, 12)
    space = study.trials[0].distributions
    asked = [tuple(study.ask(space).params.values()) for _ in range(8)]
    assert len({*asked, *plans(study)[4:12]}) == 16


@pytest.mark.full
def test_a_budget_is_learnt():
    """Told by a constraint that at least so much energy is to be spent, it comes close to that."""

    def bounded(trial):
        accuracy, energy = objectives(trial)
        trial.set_constraint("energy", 0.4 - energy)
        return accuracy, energy

    short = {
        objective: sum(
            max(0.0, 0.4 - trial.values[1]) for trial in search(PRIOR, 24, objective).trials[8:]
        )
        for objective in (bounded, objectives)
    }
    assert short[bounded] < 0.5 * short[objectives]


def test_the_promised_gain_falls_as_the_front_is_found():
    study = search(PRIOR, 34)
    gains = [trial.system_attrs[GAIN] for trial in study.trials if GAIN in trial.system_attrs]
    assert len(gains) == 30
    assert sum(gains[-10:]) < 0.2 * sum(gains[:10])


def test_what_failed_by_far_is_not_tried_again():
    """One part carries all; once that is known, hardly a proposal thins it."""
    names = [f"blocks.{block}.{part}.l1p" for block in range(3) for part in ("attention", "mlp")]

    def bottleneck(trial):
        thinned = {name: trial.suggest_float(name, 0.0, 0.9, step=0.1) for name in names}
        left = 1 - 1.5 * thinned.pop("blocks.1.mlp.l1p") ** 3
        for sparsity in thinned.values():
            left *= 1 - 0.05 * sparsity**3
        return max(0.95 * left, 0.1), 1.1 - sum(trial.params.values()) / 6

    prior = replace(PRIOR, monotone=dict.fromkeys(names, (-1, -1)), reference=(0.85, 1.2))
    sampler = BlockResponseSampler(prior, seed=0, startup_trials=4)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for sparsity in (0.0, 0.3, 0.6, 0.9):
        study.enqueue_trial(dict.fromkeys(names, sparsity))
    study.optimize(bottleneck, n_trials=20)
    assert sum(trial.values[0] < 0.5 for trial in study.trials[4:]) < 4


def test_how_proposals_came_out_moves_what_is_promised_and_not_what_is_proposed(monkeypatch):
    """Chosen by what proposals gave, the search would keep to what it knows."""
    plain = search(PRIOR, 9)
    monkeypatch.setattr(Record, "misses", lambda self, count: (np.full(count, 3.0), np.ones(count)))
    missed = search(PRIOR, 9)
    assert plans(missed) == plans(plain)
    for one, other in zip(missed.trials[4:], plain.trials[4:], strict=True):
        assert one.system_attrs[GAIN] < 0.5 * other.system_attrs[GAIN]


@pytest.mark.full
def test_another_studys_trials_count_from_the_start():
    """Proposals begin as the other study taught: an offset apart, or with the parts swapped."""
    other = search(PRIOR, 30)
    swap = {"a.l1p": "c.l1p", "b.l1p": "b.l1p", "c.l1p": "a.l1p"}

    def begin(names: dict[str, str]) -> float:
        """How much harder the last part is pruned than the first in the first proposals."""
        earlier = [
            (
                {names[name]: value for name, value in t.params.items()},
                [t.values[0] - 0.05, 1.3 * t.values[1]],
            )
            for t in other.trials
        ]
        taught = replace(PRIOR, earlier=earlier)
        found = plans(search(taught, 6, seed=3))[1:]
        return sum(plan[2] - plan[0] for plan in found) / len(found)

    assert begin({name: name for name in swap}) > 0.2 + begin(swap)
