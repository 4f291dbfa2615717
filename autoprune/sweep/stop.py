"""Stop: when a sweep begins no more trials, while those that run are finished."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import final


@final
class Stop:
    """Ctrl-C once, or a time limit, lets what runs finish; Ctrl-C twice is KeyboardInterrupt.

    Args:
        minutes: from now until no more trials begin; None for no limit.
        say: told in words, once, that no more begin.
    """

    def __init__(
        self, minutes: float | None = None, say: Callable[[str], object] = lambda text: None
    ) -> None:
        self._deadline = None if minutes is None else time.monotonic() + 60 * minutes
        self._say, self._said = say, False
        self._pressed = False

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
        """While this lasts, Ctrl-C is heard; elsewhere than in the main thread it cannot be."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._heard)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._pressed:
            raise KeyboardInterrupt
        self._pressed = True
        self._tell("Interrupted: trials that run are finished. Ctrl-C again stops at once.")
