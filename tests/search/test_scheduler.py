"""The scheduler: the same trials whatever happens, no duplicate trained, nothing left running."""

from __future__ import annotations

import math

import pytest
from optuna.trial import TrialState

from autoprune.cost.cost import UnknownCost
from autoprune.errors import RecordError
from autoprune.search.samplers import derive_seed
from autoprune.search.stopping import DUPLICATES_IN_A_ROW
from autoprune.search.trials import ONE_SHOT
from autoprune.trial.job import Failure
from autoprune.trial.key import FINE_TUNED, TrialKey
from tests.sweeps import SAMPLERS, SMALL, optuna_trials, trials

TINY = """
title = "two configurations"
[branch.mlp]
dsp = { values = [0.5, 1.0] }
[uniform]
dsp = [0.5]
"""


def test_baselines_then_uniform_sweep_then_sampler(sweep):
    run = sweep()
    scheduler = run.run()
    assert run.ran[:2] == ["parent", "fine-tuned"]
    assert set(map(str, scheduler.baselines)) == {
        "parent",
        "fine-tuned",
        "without all blocks",
        "without blocks.0",
        "without blocks.1",
        *(f"without blocks.{i}.{b}" for i in (0, 1) for b in ("attention", "mlp")),
    }
    origins = [outcome.origin for outcome in trials(run)]
    assert origins[:12] == ["baseline"] * 8 + ["uniform"] * 4
    assert set(origins[12:]) == {"sampled"}
    assert trials(run)[0].same_as == FINE_TUNED
    assert all(key not in run.ran for key in map(str, range(8)))  # baselines are not run again
    assert scheduler.standing.done == 22
    assert run.early == [key for key in run.ran if key.isdigit()][:ONE_SHOT]
    found = optuna_trials(run)
    assert [t.state for t in found] == [TrialState.COMPLETE] * len(trials(run))
    assert found[9].values == run.objectives(trials(run)[9].measurement)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_same_trials_whatever_the_number_of_workers(sweep, sampler):
    alone = sweep("alone", sampler=sampler)
    alone.run(workers=1)
    for workers in (2, 3, 8):
        many = sweep(f"with {workers}", sampler=sampler)
        many.run(workers=workers, seed=workers)
        assert trials(many) == trials(alone)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("stops", [(23,), pytest.param((5, 41), marks=pytest.mark.full)])
def test_same_trials_after_any_interruption(sweep, sampler, stops):
    whole = sweep("whole", sampler=sampler, trials=34)
    whole.run(workers=2)
    for stop in stops:
        name = f"stopped at {stop}"
        cut = sweep(name, sampler=sampler, trials=34)
        cut.run(workers=2, stop_after=stop, seed=stop)
        again = sweep(name, sampler=sampler, trials=34)
        again.run(workers=2, seed=99)
        assert trials(again) == trials(whole)
        assert not set(cut.ran) & set(again.ran)  # nothing that was finished ran twice
        assert all(t.state.is_finished() for t in optuna_trials(again))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_no_plan_is_trained_twice(sweep, sampler):
    run = sweep(space=SMALL, sampler=sampler, trials=100, lag=8)
    scheduler = run.run(workers=4)
    jobs = [o.plan.hash for o in trials(run) if o.state == "measured" and o.same_as is None]
    jobs += [b.plan.hash for b in scheduler.baselines.values()]
    assert len(run.ran) == len(jobs) == len(set(jobs))
    assert scheduler.standing.done == 100


def test_more_trials_go_on_where_it_ended(sweep):
    few = sweep(trials=6)
    few.run()
    before = trials(few)
    more = sweep(trials=9)
    assert more.run().standing.done == 9
    assert trials(more)[: len(before)] == before
    assert len(more.ran) == 3


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.filterwarnings("error:The constraint value is ignored")
def test_a_run_made_longer_is_the_run_that_was_long_from_the_start(sweep, sampler):
    some = dict(sampler=sampler, lag=6, own_work=lambda own, parent: (("own_work@chip", -0.5),))
    whole, longer = (sweep(n, trials=40, **some) for n in ("whole", "longer"))
    whole.run(workers=3)
    short = sweep("longer", trials=31, **some)
    short.run(workers=2)
    longer.run(workers=4)
    assert trials(longer) == trials(whole)


def test_a_plan_seen_before_is_a_duplicate_and_trains_nothing(sweep):
    run = sweep(space=TINY, trials=5)
    scheduler = run.run()
    duplicates = [o for o in trials(run) if o.state == "duplicate"]
    assert scheduler.standing.exhausted
    assert len(duplicates) >= DUPLICATES_IN_A_ROW
    measured = {o.key: o.measurement for o in trials(run) if o.state == "measured"}
    assert all(o.measurement == measured[o.same_as] for o in duplicates)
    assert len({o.plan.hash for o in trials(run) if o.state == "measured"}) == len(measured)
    assert not {str(o.key) for o in duplicates} & set(run.ran)
    assert scheduler.standing.done < 5
    assert sweep(space=TINY, trials=5).run().standing.exhausted  # and it is still so the next day


@pytest.mark.parametrize("broken", ["exception", "nan", "inf", "missing"])
def test_failures_are_recorded_with_their_cause_and_the_sweep_goes_on(sweep, broken):
    run = sweep()
    plain = run.objectives

    def objectives(m):
        values = plain(m)
        if m.seed != derive_seed(7, "10") or broken == "exception":
            return values
        if broken == "missing":
            raise UnknownCost("chip: energy unknown, no price for softmax")
        return [values[0], math.nan if broken == "nan" else math.inf]

    def result(job):
        if broken == "exception" and job.key == TrialKey(10):
            return Failure(cause="Traceback ...\nValueError: the network broke")
        return run.measure(job)

    run.objectives, run.result = objectives, result
    scheduler = run.run(workers=2)
    failed = trials(run)[10]
    expected = {"exception": "the network broke", "missing": "no price for softmax"}
    assert failed.state == "failed"
    assert expected.get(broken, f"an objective is {broken}") in failed.cause
    assert [o.key for o in trials(run) if o.state == "failed"] == [TrialKey(10)]
    assert scheduler.standing.done == 22
    for outcome, frozen in zip(trials(run), optuna_trials(run), strict=True):
        fails = TrialKey(10) in (outcome.key, outcome.same_as)
        assert frozen.state == (TrialState.FAIL if fails else TrialState.COMPLETE)
    assert expected.get(broken, "objective is") in optuna_trials(run)[10].user_attrs["cause"]


def test_without_a_parent_there_is_no_search(sweep):
    cause = "Traceback (most recent call last):\n  File 'x.py', line 1\nValueError: no data"
    run = sweep(result=lambda job: Failure(cause=cause))
    with pytest.raises(RecordError) as error:
        run.run()
    assert str(error.value) == "the parent network could not be measured: ValueError: no data"


@pytest.mark.full
def test_a_search_ends_when_its_proposals_promise_too_little(sweep):
    settings = {"sampler": "block_response", "space": SMALL, "trials": 40}
    whole = sweep("whole", **settings)
    assert whole.run().standing.saved == 0
    alone = sweep("alone", **settings, stop_below=0.02)
    scheduler = alone.run()
    ended = len(trials(alone))
    assert 0 < scheduler.standing.saved == 40 - scheduler.standing.done
    assert not scheduler.standing.exhausted
    assert trials(alone) == trials(whole)[:ended]
    gains = [t.system_attrs.get("block_response:gain", 1) for t in optuna_trials(whole)]
    low = [i for i in range(9, len(gains)) if max(gains[i - 9 : i + 1]) < 0.02]
    assert low[0] == ended - 1  # neither sooner nor later than ten in a row
    many = sweep("many", **settings, stop_below=0.02)
    many.run(workers=3, seed=1)
    assert trials(many) == trials(alone)
    again = sweep("alone", **settings, stop_below=0.02)
    assert again.run().standing.saved == scheduler.standing.saved
    assert again.ran == []
    sweep("alone", **settings).run()  # and without the threshold it goes on
    assert trials(alone) == trials(whole)
