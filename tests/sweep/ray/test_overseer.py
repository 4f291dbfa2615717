"""A worker that is past its time is ended from outside, and no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from autoprune.sweep.ray.overseer import Overseer


@pytest.fixture
def clock(monkeypatch):
    """The time, which the test sets, and the workers that were ended."""
    now = SimpleNamespace(s=0.0, killed=[])
    monkeypatch.setattr("autoprune.sweep.ray.overseer.time.monotonic", lambda: now.s)
    monkeypatch.setattr("autoprune.sweep.ray.overseer.ray.kill", now.killed.append)
    return now


def trial(name: str, worker: str | None) -> Any:
    return SimpleNamespace(trial_id=name, temporary_state=SimpleNamespace(ray_actor=worker))


def test_only_those_that_have_a_worker_and_are_late_are_ended(clock):
    frozen: set[str] = set()
    overseer = Overseer(1.0, frozen)
    trials = [trial("a", "worker 1"), trial("b", None)]
    overseer.on_step_begin(0, trials)
    clock.s = 74.0  # a worker would have ended itself after 60
    trials.append(trial("c", "worker 2"))
    overseer.on_step_begin(1, trials)
    assert clock.killed == []
    clock.s = 76.0
    overseer.on_step_begin(2, trials)
    assert (clock.killed, frozen) == (["worker 1"], {"a"})
    clock.s = 80.0  # it takes a while to end
    overseer.on_step_begin(3, trials)
    assert clock.killed == ["worker 1"]
    trials[1].temporary_state.ray_actor = "worker 3"
    overseer.on_trial_error(4, trials, trials[0])
    overseer.on_trial_complete(4, trials, trials[2])
    clock.s = 154.0
    overseer.on_step_begin(4, trials)
    assert clock.killed == ["worker 1"], "its time began when it had a worker"
    clock.s = 230.0
    overseer.on_step_begin(5, trials)
    assert (clock.killed, frozen) == (["worker 1", "worker 3"], {"a", "b"})


def test_without_a_limit_nobody_is_ended(clock):
    overseer = Overseer(None, set())
    for clock.s in (0.0, 1e9):
        overseer.on_step_begin(0, [trial("a", "worker")])
    assert clock.killed == []
