"""Learning rates are chosen by the same trainings, whatever the order; no training is lost."""

from __future__ import annotations

import math
import random

import pytest

from autoprune.compress.configuration import make_plan
from autoprune.compress.effort import Effort
from autoprune.compress.space import SearchSpace
from autoprune.config import validate
from autoprune.errors import InputError, RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.recipe import read_chosen, write_chosen
from autoprune.search.recipe.doubt import doubt
from autoprune.search.recipe.grid import BEYOND, first_rates
from autoprune.search.recipe.jobs import RecipeJobs
from autoprune.search.recipe.plans import learning, thinned
from autoprune.search.recipe.task import RecipeTask
from autoprune.trial.job import Failure
from autoprune.trial.key import TrialKey

EFFORT = Effort(time_steps=3, learning_rate=1e-2, epochs=1)
SPACE = {
    "title": "a space",
    "branch": {
        "attention": {"l1p": {"values": [0.0, 0.5, 0.8, 0.9, 0.95]}},
        "mlp": {"l1p": {"values": [0.0, 0.5, 0.8, 0.9, 0.95]}},
    },
    "uniform": {"l1p": [0.5, 0.8, 0.9, 0.95]},
}
NEURONS = {"tau": {"values": ["fixed", "layer", "channel"]}}


def space(**tables) -> SearchSpace:
    return validate(SearchSpace, {**SPACE, **tables}, "space")


def task_of(shape, **given) -> RecipeTask:
    own = {"space": space(), "seed": 7, "peak": 1e-2, "neurons": True, **given}
    return RecipeTask(shape=shape, effort=EFFORT, **own)


@pytest.fixture
def choose(tmp_path, shape, measured):
    """Runs the trainings in any order, with what is right of 100 samples by rate; the ends."""

    def run(right, *, folder="run", order=None, stop_after=None, trained=None, **given):
        task = task_of(shape, **given)
        jobs = RecipeJobs(task, RunFolder(tmp_path / folder), lambda done, total: None)
        running, trained = [], [] if trained is None else trained
        while not jobs.finished and (stop_after is None or len(trained) < stop_after):
            while (job := jobs.next()) is not None:
                running.append(job)
            job = running.pop(0 if order is None else order.randrange(len(running)))
            rate = job.neuron_learning_rate or job.plan.effort.learning_rate
            hits = right(rate, job)
            result = (
                Failure(cause="NaN")
                if hits is None
                else measured(job.plan, correct=hits, seed=job.seed)
            )
            trained.append(job)
            jobs.finish(job.key, result)
        return jobs.chosen

    return run


def peak_at(best: float, worst: int = 40):
    """Accuracy that falls with the distance of a rate from the best one."""
    return lambda rate, job: max(worst, round(90 - 20 * abs(math.log10(rate / best))))


def test_medium_and_harsh_plans_of_the_uniform_sweep_are_tried(shape):
    found = [make_plan(one, shape, EFFORT) for one in thinned(space(), shape, EFFORT)]
    zeros = [1 - plan.kept_weights(shape) / shape.block_weights for plan in found]
    assert [round(share, 2) for share in zeros] == [0.8, 0.9]
    assert len(thinned(space(uniform={"l1p": [0.9]}), shape, EFFORT)) == 1
    assert thinned(space(uniform={"l1p": [0.0]}), shape, EFFORT) == []


def test_rates_go_from_the_parents_peak_downwards_by_half_a_power_of_ten(choose):
    assert first_rates(1e-2, None) == [1e-2, 3.2e-3, 1e-3]
    assert first_rates(1e-2, 2e-3) == [1e-2, 3.2e-3, 2e-3, 1e-3]
    trained: list = []
    (choice,) = choose(peak_at(3.2e-3), trained=trained).choices
    assert [attempt.rate for attempt in choice.attempts] == [1e-2, 3.2e-3, 1e-3]
    assert (choice.best.rate, choice.edge, len(trained)) == (3.2e-3, "", 6)
    seeds = {(job.plan.parts, job.seed) for job in trained}
    assert len(seeds) == len({seed for _, seed in seeds}) == 2  # one of each plan, at all rates


def test_how_many_trainings_there_are_at_least_is_known_before(choose, shape):
    for given in ({}, {"space": space(neuron=NEURONS)}, {"given": {"learning_rate": 2e-3}}):
        trained: list = []
        choose(peak_at(3.2e-3), folder=str(given.keys()), trained=trained, **given)
        assert task_of(shape, **given).least_trainings == len(trained)


@pytest.mark.parametrize(
    ("best", "chosen", "edge"),
    [
        (3.2e-2, 3.2e-2, ""),
        (3.2e-4, 3.2e-4, ""),
        (1e3, 0.1, "highest"),
        (1e-6, 1e-4, "lowest"),
    ],
)
def test_a_grid_that_ends_at_its_best_goes_on_and_says_where_it_stops(choose, best, chosen, edge):
    found = choose(peak_at(best, worst=0))
    (choice,) = found.choices
    assert (choice.best.rate, choice.edge) == (chosen, edge)
    assert len(choice.attempts) <= 3 + BEYOND
    assert bool(found.doubts) == bool(edge)
    assert all(edge in line and f"{chosen:g}" in line for line in found.doubts)


def test_neurons_have_a_choice_of_their_own_at_the_chosen_rate_of_the_weights(choose, shape):
    def right(rate, job):
        return peak_at(1e-3 if job.neuron_learning_rate else 3.2e-3)(rate, job)

    trained: list = []
    found = choose(right, space=space(neuron=NEURONS), trained=trained)
    assert found.rates == {"learning_rate": 3.2e-3, "neuron_learning_rate": 1e-3}
    taught = [job for job in trained if job.neuron_learning_rate]
    assert {job.plan.effort.learning_rate for job in taught} == {3.2e-3}
    assert all(job.plan.short(shape).count("τ/ch") == 2 for job in taught)
    (medium, _) = thinned(space(), shape, EFFORT)
    assert learning(medium, space(), shape) == medium  # nothing learns there


def test_the_choice_hangs_on_no_order_and_nothing_trains_twice(choose):
    expected, whole = choose(peak_at(3.2e-2), space=space(neuron=NEURONS), trained=(t := [])), t
    assert expected.trainings == len(whole) > 12
    for seed in range(3):
        trained: list = []
        options = {"folder": f"run{seed}", "space": space(neuron=NEURONS), "trained": trained}
        for stop in (3, 7, 11, 20, None):
            found = choose(peak_at(3.2e-2), order=random.Random(seed), stop_after=stop, **options)
        assert found == expected
        assert sorted(str(job.key) for job in trained) == sorted(str(job.key) for job in whole)


def test_a_training_that_fails_has_nothing_right(choose):
    (choice,) = choose(lambda rate, job: None if rate > 5e-3 else 60).choices
    failed = choice.attempts[0]
    assert (failed.rate, failed.scores, failed.score.correct) == (1e-2, (None, None), 0)
    assert choice.best.rate == 3.2e-3
    with pytest.raises(RecordError, match="no training succeeded to choose learning_rate by: NaN"):
        choose(lambda rate, job: None, folder="other")


def test_a_folder_of_other_trainings_is_refused(choose):
    choose(peak_at(1e-3), stop_after=2)
    with pytest.raises(
        RecordError, match="recipe_1.parquet: of another plan than the training 'recipe 1' is"
    ):
        choose(peak_at(1e-3), space=space(uniform={"l1p": [0.8, 0.5]}))


def test_a_rate_that_a_study_has_is_tried_and_refused_only_outside_both_intervals(choose):
    near = choose(peak_at(1e-2), given={"learning_rate": 8e-3})
    assert near.choices[0].given == 8e-3
    near.refuse_behind("study.toml")
    far = choose(peak_at(1e-2), given={"learning_rate": 1e-4}, folder="far")
    with pytest.raises(InputError, match=r"finetune.learning_rate: given 0.0001, with 50.0%.*0.01"):
        far.refuse_behind("study.toml")


def test_the_choice_is_read_as_it_was_written(choose, tmp_path):
    found = choose(lambda rate, job: None if rate > 5e-3 else 60)
    file = tmp_path / "recipe.json"
    assert read_chosen(file) is None
    write_chosen(found, file)
    assert read_chosen(file) == found
    file.write_text(file.read_text().replace('"rate": 0.01', '"rate": "x"'))
    with pytest.raises(RecordError, match="recipe.json: damaged"):
        read_chosen(file)


@pytest.mark.parametrize(
    ("rate", "lost", "said"), [(1e-3, 0.2, True), (1e-2, 0.2, False), (1e-3, 0.04, False)]
)
def test_a_low_rate_under_which_little_is_regained_is_doubted(rate, lost, said):
    found = doubt(rate, 1e-2, lost, "T4 | A 90%")
    assert [all(w in line for w in ("0.001", "0.01", "20.0 points")) for line in found] == [
        True
    ] * said


def test_trainings_have_an_origin_and_a_place_of_their_own(choose, tmp_path):
    choose(peak_at(3.2e-3))
    folder = RunFolder(tmp_path / "run")
    found = [folder.read(TrialKey.recipe(number)) for number in range(1, 7)]
    assert {outcome.origin for outcome in found} == {"recipe"}
    assert folder.read_trials() == [] and folder.read_baselines() == {}
