"""block_response: Optuna's own tests for samplers, what it depends on, and what it finds."""

from __future__ import annotations

from dataclasses import replace

import optuna
import pytest
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)

from autoprune.search.block_response import BlockResponseSampler, Prior
from autoprune.search.block_response.sampler import GAIN

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
        return lambda: BlockResponseSampler(startup_trials=1)


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
    found = plans(search(PRIOR, 60))
    assert len(set(found[4:])) == 56
    assert not set(found[4:]) & set(found[:4])


def test_nor_two_that_are_the_same_to_its_user():
    """Here the third part does not matter to what a configuration is."""
    prior = Prior(identity=lambda params: (params["a.l1p"], params["b.l1p"]))
    found = [plan[:2] for plan in plans(search(prior, 50))]
    assert len(set(found[4:])) == 46


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


def test_proposals_depend_on_seed_number_and_trials_alone():
    study, numbers = search(PRIOR, 30), range(8, 30)
    found = [study.trials[number].params for number in numbers]
    assert [asked_again(study, number, seed=0) for number in numbers] == found
    assert [asked_again(study, number, seed=1) for number in numbers] != found


def test_trials_that_run_are_not_proposed_again():
    study = search(PRIOR, 12)
    space = study.trials[0].distributions
    asked = [tuple(study.ask(space).params.values()) for _ in range(8)]
    assert len({*asked, *plans(study)[4:12]}) == 16


def test_a_budget_is_learnt():
    """Told by a constraint that energy is bounded, it proposes more that keeps the bound."""

    def bounded(trial):
        accuracy, energy = objectives(trial)
        trial.set_constraint("energy", energy - 0.2)
        return accuracy, energy

    kept = {
        objective: sum(
            trial.values[1] <= 0.2
            for seed in range(3)
            for trial in search(PRIOR, 40, objective, seed).trials[10:]
        )
        for objective in (bounded, objectives)
    }
    assert kept[bounded] >= 1.25 * kept[objectives]


def test_the_promised_gain_falls_as_the_front_is_found():
    study = search(PRIOR, 60)
    gains = [trial.system_attrs[GAIN] for trial in study.trials if GAIN in trial.system_attrs]
    assert len(gains) == 56
    assert sum(gains[-10:]) < 0.2 * sum(gains[:10])


def test_another_studys_trials_count_from_the_start():
    """Proposals begin as the other study taught: an offset apart, or with the parts swapped."""
    other = search(PRIOR, 40)
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
        found = plans(search(taught, 10, seed=3))[1:]
        return sum(plan[2] - plan[0] for plan in found) / len(found)

    assert begin({name: name for name in swap}) > 0.2 + begin(swap)
