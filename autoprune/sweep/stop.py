"""Stop: when a sweep begins no more trials, while those that run are finished."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import final

GRACE_S = 30.0
"""Seconds that trials have to finish after SIGTERM, by default; Slurm and Kubernetes give them."""

TERMINATING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a run to end within its grace."""


class Terminated(SystemExit):
    """A signal that asks a process to end has ended it; its exit code is as shells have it."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


@final
class Stop:
    """Ctrl-C once, a time limit, or SIGTERM or SIGHUP lets what runs finish.

    Ctrl-C twice is KeyboardInterrupt. Whoever sends SIGTERM waits for seconds only: what has not
    finished after `grace_s`, or a second signal, is `Terminated`, and runs again another time.

    Args:
        minutes: from now until no more trials begin; None for no limit.
        say: told in words, once, that no more begin.
        grace_s: seconds that trials have after SIGTERM and SIGHUP.

    Attributes:
        code: the exit code of a process that was so terminated; None of one that was not.
    """

    def __init__(
        self,
        minutes: float | None = None,
        say: Callable[[str], object] = lambda text: None,
        grace_s: float = GRACE_S,
    ) -> None:
        self._deadline = None if minutes is None else time.monotonic() + 60 * minutes
        self._say, self._said = say, False
        self._pressed = False
        self._grace_s = grace_s
        self.code: int | None = None

    @property
    def asked(self) -> bool:
        """Whether no more trials are to begin."""
        late = self._deadline is not None and time.monotonic() > self._deadline
        if late:
            self._tell("The time limit is reached: trials that run are finished.")
        return late or self._pressed

    def _tell(self, text: str) -> None:
        if not self._said:
            self._said = True
            self._say(text)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While this lasts, signals are heard; elsewhere than in the main thread they cannot be."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGALRM, *TERMINATING)
        before = {number: signal.getsignal(number) for number in numbers}
        self.listen()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)

    def listen(self) -> None:
        """Hear signals from now on; said again where a library has taken them, as Ray does."""
        if threading.current_thread() is not threading.main_thread():
            return
        signal.signal(signal.SIGINT, self._heard)
        signal.signal(signal.SIGALRM, self._over)
        for number in TERMINATING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has SIGHUP
                signal.signal(number, self._terminated)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True
        self._tell("Interrupted: trials that run are finished. Ctrl-C again stops at once.")

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        if self.code is not None:
            raise Terminated(number)
        self._pressed, self.code = True, 128 + number
        signal.setitimer(signal.ITIMER_REAL, max(self._grace_s, 0.01))
        self._tell(f"Terminated: trials that run have {self._grace_s:g} s to finish.")

    def _over(self, number: int, frame: FrameType | None) -> None:
        assert self.code is not None
        raise Terminated(self.code - 128)
