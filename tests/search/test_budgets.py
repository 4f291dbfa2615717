"""Plans beyond a budget, known before training or after it, and networks that are no answer."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState

from autoprune.trial.key import FINE_TUNED
from tests.sweeps import OTHERS, by_name, optuna_trials, trials


def over(bound):
    """A budget on synaptic operations."""

    def excess(measurement):
        return (
            ("effective_sops", float(measurement.workload.total("effective_sops")) / bound - 1),
        )

    return excess


def few_weights(shape):
    """A budget that is known before training: at most half of the blocks' weights."""

    def known(plan):
        return (("weights", plan.kept_weights(shape) / shape.block_weights / 0.5 - 1),)

    return known


@pytest.mark.parametrize("sampler", ["tpe", pytest.param("block_response", marks=pytest.mark.full)])
def test_a_plan_known_to_break_a_budget_is_never_trained(sweep, shape, sampler):
    known = few_weights(shape)
    run = sweep(known_excess=known, sampler=sampler)
    scheduler = run.run(workers=2)
    refused = [o for o in trials(run) if o.state == "infeasible"]
    trained = {o.key: o for o in trials(run) if str(o.key) in run.ran}
    assert refused
    assert (
        scheduler.standing.done == 22 == len(trained)
    )  # what was refused is not one of the trials
    assert all(o.measurement is None and dict(o.broken)["weights"] > 0 for o in refused)
    assert all(dict(known(o.plan))["weights"] <= 0 for o in trained.values())
    told = {t.number: t for t in optuna_trials(run)}
    assert all(dict(o.broken) == by_name(told[o.key.number]) for o in refused)
    cut = sweep("cut", known_excess=known, sampler=sampler)
    cut.run(workers=2, stop_after=17, seed=5)
    again = sweep("cut", known_excess=known, sampler=sampler)
    again.run(workers=2, seed=6)
    assert trials(again) == trials(run)


@pytest.mark.full
def test_a_measurement_beyond_a_budget_is_infeasible_and_told_as_a_constraint(sweep):
    run = sweep(sampler="block_response", trials=30)
    bound = 0.4 * run.objectives(run.measure(next_job(run)))[1]
    run = sweep("bound", sampler="block_response", trials=30, excess=over(bound))
    scheduler = run.run()
    states = {o.state for o in trials(run)}
    assert scheduler.standing.done == 30
    assert states >= {"measured", "infeasible"}
    for outcome, told in zip(trials(run), optuna_trials(run), strict=True):
        ((_, by),) = run.excess(outcome.measurement)
        assert told.state == TrialState.COMPLETE
        assert by_name(told) == {"effective_sops": by}
        assert outcome.broken == ((("effective_sops", by),) if by > 0 else ())
        assert (outcome.state == "infeasible") == (by > 0) or outcome.state == "duplicate"
    sampled = [o for o in trials(run) if o.origin == "sampled"]
    chance = sweep("chance", sampler="random", trials=30, excess=over(bound))
    chance.run()
    lucky = [o for o in trials(chance) if o.origin == "sampled"]
    assert sum(not o.broken for o in sampled) > 2 * sum(not o.broken for o in lucky)


def mostly_elsewhere(charges, parent):
    """A machine on which no network is an answer that has less than 0.4 of the parent's energy."""
    (own,), (whole,) = dict(charges).values(), dict(parent).values()
    return (("own_work@chip", 0.4 - own.energy_uj / whole.energy_uj),)


@pytest.mark.parametrize(
    "sampler", ["tpe", *(pytest.param(s, marks=pytest.mark.full) for s in OTHERS)]
)
def test_a_network_that_is_no_answer_is_told_so_and_stays_measured(sweep, sampler):
    settings = {"own_work": mostly_elsewhere, "sampler": sampler, "trials": 16}
    run = sweep(**settings)
    run.run()
    parent = run.folder.read(FINE_TUNED).charges
    for outcome, told in zip(trials(run), optuna_trials(run), strict=True):
        assert by_name(told) == dict(mostly_elsewhere(outcome.charges, parent))
        assert not outcome.broken and outcome.state in ("measured", "duplicate")
    assert {by > 0 for told in optuna_trials(run) for by in by_name(told).values()} == {True, False}
    cut = sweep("cut", **settings)
    cut.run(workers=2, stop_after=14, seed=5)
    again = sweep("cut", **settings)
    again.run(workers=3, seed=6)
    assert trials(again) == trials(run)


def next_job(run):
    """The first job of a run: the parent."""
    return run.scheduler().next()


def test_a_search_in_which_every_plan_is_known_to_break_a_budget_ends(sweep):
    run = sweep(known_excess=lambda plan: (("weights", 1.0),), sampler="random")
    scheduler = run.run()
    assert scheduler.standing.exhausted
    assert scheduler.standing.done == 0
    assert set(run.ran) == set(map(str, scheduler.baselines))
