"""Overseer: ends workers from outside that are frozen, as SIGSTOP and some debuggers leave them.

Their watchdog lives in them, and is frozen, too; without it a sweep would wait for ever.
"""

from __future__ import annotations

import time
from typing import Any, final

import ray
from ray import tune

_LATE_S = 15.0
"""A worker that has not ended itself so long after its time is frozen; the driver's clock starts
earlier than the job, by what it takes to hand that over."""


@final
class Overseer(tune.Callback):
    """Ends workers that are past their time.

    Args:
        minutes: that each of Tune's trials may take; None for any.
        frozen: the trials whose workers were ended are added.
    """

    def __init__(self, minutes: float | None, frozen: set[str]) -> None:
        self._limit_s = None if minutes is None else 60 * minutes + _LATE_S
        self._frozen = frozen
        self._open: dict[str, Any] = {}
        self._known = 0
        self._since: dict[str, float] = {}

    def on_step_begin(self, iteration: int, trials: list[Any], **info: object) -> None:
        """Comes several times a second."""
        if self._limit_s is None:
            return
        self._open |= {trial.trial_id: trial for trial in trials[self._known :]}
        self._known = len(trials)  # Tune appends to them alone
        now = time.monotonic()
        for name, trial in self._open.items():
            worker = trial.temporary_state.ray_actor
            if worker is None:  # it waits for one
                continue
            if now - self._since.setdefault(name, now) > self._limit_s:
                self._frozen.add(name)
                self._since[name] = now
                ray.kill(worker)  # what does not obey within 5 s, its node ends

    def on_trial_complete(
        self, iteration: int, trials: list[Any], trial: Any, **info: object
    ) -> None:
        """Its job is done."""
        self._open.pop(trial.trial_id, None)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: object) -> None:
        """Its worker is gone."""
        self._open.pop(trial.trial_id, None)
