"""The scheduler: the same trials whatever happens, no duplicate trained, nothing left running."""

from __future__ import annotations

import json
import math
import random
import shutil
from pathlib import Path
from typing import get_args

import optuna
import pytest
from optuna.trial import TrialState

from autoprune.compress.effort import Effort
from autoprune.compress.space import load_space
from autoprune.cost.cost import UnknownCost
from autoprune.errors import RecordError
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Charge
from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.samplers import derive_seed, distributions
from autoprune.search.scheduler import Scheduler
from autoprune.search.spec import Sampler, SearchSpec
from autoprune.search.stopping import DUPLICATES_IN_A_ROW
from autoprune.search.storages import open_journal
from autoprune.search.task import Task
from autoprune.search.trials import ONE_SHOT
from autoprune.sweep.driver import run_journal
from autoprune.trial.job import Failure
from autoprune.trial.key import FINE_TUNED, TrialKey

SPACE = """
title = "a space"
[branch.attention]
l1p = { low = 0.0, high = 0.8, step = 0.2 }
dsp = { values = [0.0, 0.5, 1.0] }
[branch.mlp]
l1p = { low = 0.0, high = 0.8, step = 0.2 }
dsp = { values = [0.0, 0.5, 1.0] }
[neuron]
threshold = { values = ["fixed", "layer"] }
tau = { values = ["fixed", "layer"] }
[uniform]
l1p = [0.4, 0.8]
dsp = [1.0, 0.5]
threshold = ["fixed"]
tau = ["fixed"]
"""
TINY = """
title = "two configurations"
[branch.mlp]
dsp = { values = [0.5, 1.0] }
[uniform]
dsp = [0.5]
"""
SMALL = """
title = "some thousand plans"
[branch.attention]
dsp = { values = [0.0, 0.5, 1.0] }
[branch.mlp]
l1p = { low = 0.0, high = 0.8, step = 0.2 }
dsp = { values = [0.0, 0.5, 1.0] }
[uniform]
l1p = [0.4]
dsp = [1.0, 0.5]
"""

QUICK = ("tpe",)
"""Samplers of which every law is tested by default: Optuna's own, whose proposals are quick."""

SLOW = ("gp", "nsga3", "qmc")
"""A Gaussian process takes a second per proposal; the others are of a kind with those that stay."""

SAMPLERS = [
    pytest.param(s, marks=() if s in QUICK else pytest.mark.slow if s in SLOW else pytest.mark.full)
    for s in get_args(Sampler)
]


OTHERS = [name for name in get_args(Sampler) if name not in ("tpe", *SLOW)]
"""Those of which a law that is the same for all is tested at length."""


class Sweep:
    """A scheduler over made-up measurements, run in any order of finishing; its own goals."""

    metrics, score = ("accuracy", "effective_sops"), "accuracy"

    def __init__(self, folder: Path, shape, measured, **settings) -> None:
        self.folder, self.shape, self.measured = RunFolder(folder), shape, measured
        self.text = settings.get("space", SPACE)
        self.trials = settings.get("trials", 22)
        self.sampler = settings.get("sampler", "tpe")
        self.lag = settings.get("lag", 3)
        self.result = settings.get("result", self.measure)
        self.excess = settings.get("excess", lambda measurement: ())
        self.own_work = settings.get("own_work", lambda charges, parent: ())
        self.known_excess = settings.get("known_excess", lambda plan: ())
        self.stop_below = settings.get("stop_below")
        self.ran: list[str] = []
        self.early: list[str] = []
        folder.mkdir(exist_ok=True)

    def measure(self, job):
        """Accuracy falls with what is removed; a pure function of plan and seed."""
        kept = job.plan.kept_weights(self.shape) / self.shape.block_weights
        noise = random.Random(job.seed).randint(0, 3)
        return self.measured(
            job.plan, seed=job.seed, zeros=0.9 * (1 - kept), correct=round(40 + 50 * kept) + noise
        )

    def objectives(self, m):
        return [m.validation.accuracy, float(m.workload.total("effective_sops"))]

    def charges(self, m):
        return (("chip", Charge(energy_uj=float(m.workload.total("effective_sops")))),)

    def scheduler(self) -> Scheduler:
        file = self.folder.path / "space.toml"
        file.write_text(self.text)
        space = load_space(str(file))
        task = Task(
            space=space,
            shape=self.shape,
            effort=Effort(time_steps=3, learning_rate=1e-3, epochs=1),
            seed=7,
            search=SearchSpec(sampler=self.sampler, lag=self.lag, stop_below=self.stop_below),
            trials=self.trials,
            goals=self,
        )
        self.space = distributions(space.parameters(self.shape))
        optuna_study = run_journal(self.folder, self.study)
        return Scheduler(task, optuna_study, self.folder, lambda outcome, standing: None)

    def study(self, place: StudyPlace) -> OptunaStudy:
        names = ["accuracy", "effective_sops"]
        plans = {head.key.number: head.plan.hash for head in self.folder.read_heads()}
        return OptunaStudy(place, ["maximize", "minimize"], names, self.space, self.lag, plans)

    def run(self, workers: int = 1, seed: int = 0, stop_after: int | None = None) -> Scheduler:
        """Run with that many jobs at a time, finishing in random order, perhaps not to the end."""
        scheduler, order, running = self.scheduler(), random.Random(seed), []
        while stop_after is None or len(self.ran) < stop_after:
            while len(running) < workers and (job := scheduler.next()) is not None:
                running.append(job)
            if not running:
                break
            job = running.pop(order.randrange(len(running)))
            self.ran.append(str(job.key))
            self.early += [str(job.key)] * job.one_shot
            scheduler.finish(job.key, self.result(job))
        return scheduler


@pytest.fixture
def sweep(tmp_path, shape, measured):
    return lambda name="run", **settings: Sweep(tmp_path / name, shape, measured, **settings)


def trials(sweep: Sweep) -> list:
    return sweep.folder.read_trials()


def optuna_trials(sweep: Sweep) -> list:
    """What any Optuna tool reads out of the journal."""
    backend = optuna.storages.journal.JournalFileBackend(str(sweep.folder.journal))
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name="autoprune", storage=storage).trials


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


def test_a_measurement_on_disk_that_optuna_was_not_told_is_told(sweep):
    run = sweep()
    scheduler = run.run(stop_after=10)  # 9 baselines and the first uniform trial
    first, second = scheduler.next(), scheduler.next()
    scheduler.finish(second.key, run.measure(second))  # out of order: on disk, but not told
    states = {t.number: t.state for t in optuna_trials(run)}
    assert states[second.key.number] == TrialState.RUNNING
    assert run.folder.file(second.key).is_file()
    again = sweep()
    again.run()
    assert str(second.key) not in again.ran
    assert str(first.key) in again.ran
    assert all(t.state == TrialState.COMPLETE for t in optuna_trials(again))


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


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.full
def test_a_record_older_than_the_folder_is_made_anew_and_nothing_trains(sweep, sampler):
    """The journal of a backup, or none: the folder is the record."""
    run, whole = sweep(sampler=sampler, trials=30), sweep("whole", sampler=sampler, trials=33)
    run.run(workers=2), whole.run()
    before, told = trials(run), optuna_trials(run)
    for left in (0.0, 0.5, 0.9):
        again = sweep(f"{left} left", sampler=sampler, trials=30)
        shutil.copytree(run.folder.path, again.folder.path, dirs_exist_ok=True)
        journal = again.folder.journal
        content = journal.read_bytes()[: int(left * journal.stat().st_size)]
        journal.write_bytes(content) if content else journal.unlink()
        again.run()
        assert again.ran == []
        assert trials(again) == before
        assert [(t.number, t.params, t.values, t.state) for t in optuna_trials(again)] == [
            (t.number, t.params, t.values, t.state) for t in told
        ]
        longer = sweep(f"{left} left", sampler=sampler, trials=33)
        longer.run()
        assert trials(longer) == trials(whole)


@pytest.mark.parametrize(
    ("line", "last"),
    [
        (b"garbage\n", True),
        pytest.param(b'{"op_code": 99}\n', False, marks=pytest.mark.full),
        pytest.param(b"[" * 9999 + b"\n", True, marks=pytest.mark.full),
        pytest.param(b"\xff\n", False, marks=pytest.mark.full),
        pytest.param(bytes(4 * 2**20 + 1), True, marks=pytest.mark.full),
    ],
)
def test_a_damaged_journal_is_set_aside_and_made_anew(sweep, line, last):
    run = sweep(trials=6)
    run.run()
    before, journal = trials(run), run.folder.journal
    whole = journal.read_bytes().splitlines(keepends=True)
    whole.insert(len(whole) if last else 9, line)
    journal.write_bytes(b"".join(whole))
    with pytest.raises(RecordError, match="optuna.journal: damaged"):
        open_journal(journal)
    again = sweep(trials=6)
    again.run()
    assert [file.name for file in again.folder.set_aside] == ["optuna.journal.damaged-1"]
    assert again.ran == []
    assert trials(again) == before


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ('"state":1,"values":[', '"state":1,"values":[[1],'),
        pytest.param('"state":1,"values":[', '"state":1,"values":[NaN,', marks=pytest.mark.full),
        ('"state":1,', '"state":0,'),  # it has not ended, and those after it have
        pytest.param('"state":1,', '"state":2,', marks=pytest.mark.full),
        ('"params":{"blocks.0.attention.l1p":', '"params":{"blocks.0.attention.l1p":-1'),
        pytest.param('\\"high\\": ', '\\"high\\": 9', marks=pytest.mark.full),
        pytest.param('"hash":"', '"hash":[],"x":"', marks=pytest.mark.full),
    ],
)
def test_trials_that_no_run_has_stored_are_made_anew_from_the_folder(sweep, given, other):
    """Optuna takes them as they are, and fails where they are used."""
    run = sweep(trials=6)
    run.run()
    before, text = trials(run), run.folder.journal.read_text()
    assert given in text
    run.folder.journal.write_text(text.replace(given, other, 1))
    again = sweep(trials=6)
    again.run()
    assert [file.name for file in again.folder.set_aside] == ["optuna.journal.damaged-1"]
    assert again.ran == []
    assert trials(again) == before


def test_what_a_sampler_would_propose_otherwise_stays_as_it_was_measured(sweep):
    """Such as one of another version of Optuna's."""
    run = sweep(trials=26)
    run.run()
    before = trials(run)
    run.folder.journal.unlink()
    again = sweep(trials=26, sampler="random")
    again.run()
    assert again.ran == []
    assert trials(again) == before


def another_runs(journal: Path, sweep) -> None:
    """Put that of another run in its place."""
    other = sweep("other", trials=24, sampler="random")
    other.run()
    journal.write_bytes(other.folder.journal.read_bytes())


def a_trial_twice(journal: Path, sweep) -> None:
    """Double the line that makes the fourth trial: what ends one is taken for another's."""
    lines = journal.read_bytes().splitlines(keepends=True)
    place = [i for i, line in enumerate(lines) if json.loads(line)["op_code"] == 4][3]
    journal.write_bytes(b"".join([*lines[:place], lines[place], *lines[place:]]))


@pytest.mark.parametrize(
    ("wrong", "number"),
    [pytest.param(another_runs, 24, marks=pytest.mark.full), (a_trial_twice, 8)],
)
def test_a_record_of_other_plans_is_made_anew_and_nothing_trains(sweep, wrong, number):
    run = sweep(trials=number)
    run.run()
    before = trials(run)
    wrong(run.folder.journal, sweep)
    again = sweep(trials=number)
    again.run()
    assert [file.name for file in again.folder.set_aside] == ["optuna.journal.damaged-1"]
    assert again.ran == []
    assert trials(again) == before


def test_a_half_written_file_is_removed_and_its_trial_runs_again(sweep):
    run = sweep(trials=6)
    run.run()
    before = trials(run)
    file = run.folder.file(TrialKey(9))
    file.write_bytes(file.read_bytes()[:200])
    (run.folder.trials / f"00010.parquet.{'0' * 16}.partial").write_bytes(b"half")
    assert TrialKey(9) not in [head.key for head in run.folder.recover()]
    assert not [*run.folder.path.rglob("*.partial")]
    again = sweep(trials=6)
    again.run()
    assert again.ran == ["9"]
    assert trials(again) == before


def test_a_torn_last_line_of_the_journal_is_cut(sweep, recwarn):
    """The end of a trial, whose constraints Optuna had heard of already."""
    large = {"excess": lambda measurement: (("weights", 1.0),)}
    whole, torn = sweep("whole", **large), sweep("torn", **large)
    whole.run()
    torn.run(stop_after=14)
    journal = torn.folder.journal
    content = journal.read_bytes()
    journal.write_bytes(content[: content.rindex(b'{"op_code":6') + 25])
    sweep("torn", **large).run()
    assert trials(torn) == trials(whole)
    assert [str(w.message) for w in recwarn] == []


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


def test_what_a_sampler_notes_about_a_trial_is_kept(sweep):
    """NSGA-II notes the generation; without it every proposal would belong to the first."""
    run = sweep(sampler="nsga2")
    run.run()
    sampled = optuna_trials(run)[20:]
    assert all(any("generation" in key for key in t.system_attrs) for t in sampled)


@pytest.mark.full
def test_a_search_ends_when_its_proposals_promise_too_little(sweep):
    settings = {"sampler": "block_response", "space": SMALL, "trials": 120}
    whole = sweep("whole", **settings)
    assert whole.run().standing.saved == 0
    alone = sweep("alone", **settings, stop_below=0.02)
    scheduler = alone.run()
    ended = len(trials(alone))
    assert 0 < scheduler.standing.saved == 120 - scheduler.standing.done
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


def by_name(trial):
    """Its constraints; Optuna numbers those that are there for its dashboard."""
    return {name: by for name, by in trial.constraints.items() if not name.isdecimal()}


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
