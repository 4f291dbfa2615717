"""A worker that hangs or takes too much memory: what it leaves, and what becomes of its trial."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import ray

from autoprune.errors import InputError
from autoprune.networks.spikformer import SpikformerAdapter
from autoprune.runs.folder import RunFolder
from autoprune.study.parts import make_setup
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody
from autoprune.sweep.ray import tune
from autoprune.sweep.ray.tune import JobSearcher
from autoprune.sweep.stop import Stop
from autoprune.sweep.watchdog import Allowance, Watchdog
from autoprune.trial.key import TrialKey
from tests.short import SHORT

KEY = TrialKey(name="a key")
WORKER = """
import sys, time
from pathlib import Path
from autoprune.sweep.watchdog import Allowance, Watchdog
from autoprune.trial.key import TrialKey

def run_trial():
    {what}

allowance = Allowance(minutes={minutes}, memory_gib={memory})
with Watchdog(Path({folder!r}), allowance).watching(TrialKey(name="a key")):
    run_trial()
"""
TAKES_A_GIB = "held = bytearray(2**30); time.sleep(600)"


@pytest.fixture
def worker(tmp_path):
    """Runs a job in a process of its own; what the driver's watchdog makes of its end."""

    def start(what: str, minutes: float | None, memory: float | None):
        code = WORKER.format(what=what, folder=str(tmp_path), minutes=minutes, memory=memory)
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code], check=False, timeout=500)
        watchdog = Watchdog(tmp_path, Allowance(minutes=minutes, memory_gib=memory))
        return done.returncode, time.monotonic() - began, watchdog

    return start


def test_a_job_that_hangs_is_ended_and_its_stack_kept(worker, tmp_path):
    code, seconds, watchdog = worker("time.sleep(600)", 0.02, None)
    failure = watchdog.verdict(KEY)
    assert code != 0
    assert seconds < 300
    assert failure.kind == "time"
    assert "longer than 0.02 minutes" in failure.cause
    assert failure.cause.splitlines()[-1].endswith("in run_trial")
    assert not list(tmp_path.iterdir())


def test_a_job_that_takes_too_much_memory_is_ended_and_the_peak_kept(worker, tmp_path):
    code, _, watchdog = worker(TAKES_A_GIB, None, 0.5)
    failure = watchdog.verdict(KEY)
    assert code != 0
    assert failure.kind == "memory"
    assert 0.5 < failure.peak_gib < 2
    assert "more than 0.5 GiB" in failure.cause
    assert not list(tmp_path.iterdir())


def test_a_job_that_stays_within_its_allowance_leaves_nothing(worker, tmp_path):
    code, _, _ = worker("time.sleep(0.3)", 1.0, 8.0)
    assert code == 0
    assert not list(tmp_path.iterdir())


def test_of_a_killed_one_the_memory_is_known(worker):
    _, _, watchdog = worker("import os; time.sleep(0.5); os.kill(os.getpid(), 9)", 1.0, 8.0)
    failure = watchdog.verdict(KEY)
    assert failure.kind == "died"
    assert "the most memory seen was 0." in failure.cause


def test_of_a_frozen_one_it_is_said(tmp_path):
    failure = Watchdog(tmp_path, Allowance(minutes=1.0)).verdict(KEY, frozen=True)
    assert (failure.kind, failure.cause) == (
        "died",
        "the process that ran it stood still, and was ended",
    )


def test_of_one_that_ray_ended_the_node_was_short(worker):
    _, _, watchdog = worker("import os; time.sleep(0.5); os.kill(os.getpid(), 9)", None, None)
    failure = watchdog.verdict(KEY, out_of_memory=True)
    assert (failure.kind, "its node being short of memory" in failure.cause) == ("memory", True)
    assert failure.peak_gib > 0


class Greedy(SpikformerAdapter.__base__):  # type: ignore[misc, name-defined]
    """An adapter with which plans of 2 steps hang and plans of 1 step fill the memory.

    Every start of such a trial leaves a line in a file.
    """

    def __init__(self, log: str) -> None:
        self.inner, self.log = SpikformerAdapter(), log

    def branches(self, model):
        return self.inner.branches(model)

    def set_time_steps(self, model, time_steps):
        if time_steps < 3:
            with open(self.log, "a", encoding="utf-8") as stream:
                stream.write(f"{time_steps}\n")
        if time_steps == 2:
            time.sleep(600)
        if time_steps == 1:
            self.held = bytearray(2 * 2**30)
            time.sleep(600)
        self.inner.set_time_steps(model, time_steps)


@pytest.mark.full
@pytest.mark.ray
def test_hanging_and_greedy_trials_end_and_the_sweep_goes_on(
    short_of_steps, tmp_path, one_ray, monkeypatch
):
    one_ray()
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    log = tmp_path / "starts"
    original = make_setup
    monkeypatch.setattr(
        "autoprune.sweep.driver.make_setup",
        lambda *given, **named: replace(original(*given, **named), adapter=Greedy(str(log))),
    )
    prepared = prepare(short_of_steps)
    built, parts = prepared.built, prepared.built.parts
    spec = parts.compute.spec.model_copy(
        update={"trial_minutes": 0.6, "memory_gib": 1.5, "retries": 1}
    )
    compute = replace(parts.compute, spec=spec)
    built = replace(built, parts=replace(parts, compute=compute))
    finished = run(replace(prepared, built=built), tmp_path / "run", Nobody())
    by_steps: dict[int, list] = {1: [], 2: [], 3: []}
    for outcome in finished.outcomes:
        if outcome.origin != "baseline" and outcome.state != "duplicate":
            by_steps[outcome.plan.effort.time_steps].append(outcome)
    assert all(o.state == "failed" and "longer than 0.6" in o.cause for o in by_steps[2])
    assert all("set_time_steps" in o.cause for o in by_steps[2])
    assert all(o.state == "infeasible" and 1.5 < o.peak_gib < 4 for o in by_steps[1])
    assert all("(run 2 times)" in o.cause for o in by_steps[1])
    assert {o.state for o in by_steps[3]} == {"measured"}
    assert len(by_steps[1]) and len(by_steps[2])
    assert sum(map(len, by_steps.values())) == 7
    starts = log.read_text().split()
    assert starts.count("1") == 2 * len(by_steps[1])  # run again once
    assert starts.count("2") == len(by_steps[2])  # one that hangs would hang again
    assert RunFolder(tmp_path / "run").read_trials() == finished.outcomes
    assert not list((tmp_path / "run" / "ended").iterdir())


def test_a_limit_is_refused_where_the_trials_process_is_the_drivers_own(short_study):
    file = short_study(after="[compute]\ntrial_minutes = 1.0")
    prepare(str(file))
    with pytest.raises(InputError, match="workers = 0.*at least 1 worker"):
        prepare(str(file), workers=0)


def test_a_time_limit_lets_no_more_trials_begin():
    said: list[str] = []
    stop = Stop(minutes=0.001, say=said.append)
    assert not stop.asked
    time.sleep(0.1)
    assert stop.asked
    assert stop.asked
    assert len(said) == 1


def test_ctrl_c_once_asks_and_twice_interrupts():
    said: list[str] = []
    stop = Stop(say=said.append)
    with pytest.raises(KeyboardInterrupt), stop.listening():
        os.kill(os.getpid(), 2)
        time.sleep(0.01)
        assert stop.asked
        os.kill(os.getpid(), 2)
        time.sleep(1)
    assert len(said) == 1


def test_a_run_stopped_before_its_baselines_has_no_front_and_goes_on(tmp_path):
    prepared = prepare(SHORT, workers=0, trials=3)
    stopped = run(prepared, tmp_path / "run", Nobody(), Stop(minutes=0.0))
    assert stopped.interrupted
    assert (stopped.fronts, stopped.outcomes) == ({}, [])
    assert "there is no front yet" in stopped.warnings[0]
    finished = run(prepared, tmp_path / "run", Nobody())
    assert not finished.interrupted
    assert set(finished.fronts) == {"loihi1", "systolic_14x12", "ops45_fp32"}


@pytest.mark.parametrize(
    ("error", "short"),
    [
        ("1 worker(s) were killed due to the node running low on memory. Memory on the node", True),
        ("The actor died unexpectedly before finishing this task.", False),
    ],
)
def test_of_what_ray_ended_for_want_of_memory_the_searcher_hears(tmp_path, error, short):
    """As Tune has it when it tells of the error; it never hands out the exception."""
    file = tmp_path / "error.txt"
    file.write_text(f"Failure # 1 (occurred at 2026-11-30)\n{error}\n", encoding="utf-8")
    searcher = JobSearcher(None, None, 0)
    for trial in (SimpleNamespace(trial_id="a", error_file=place) for place in (str(file), None)):
        tune._Scheduler(searcher).on_trial_error(None, trial)
    assert (searcher.short_of_memory == {"a"}) is short
