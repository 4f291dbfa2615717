"""Status: how far a run is, read from its folder while another process writes to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import get_args

from autoprune.report.front.run_fronts import RunFronts
from autoprune.report.rows import SCHEMA
from autoprune.runs.folder import RunFolder
from autoprune.runs.lock import Holder, holder
from autoprune.runs.machines import by_price, run_machines
from autoprune.runs.outcome import State
from autoprune.search.proposals import read_proposals


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a run is.

    Attributes:
        title: of its study. writer: who writes to it, or was killed doing so; None for nobody.
        trials: that the study asks for. done: those that count against them.
        states: how all trials ended, with how many did. running: proposed and not ended; None
            where a database knows that was not asked.
        baselines: measured. fronts: the trials on each machine's front, by ascending energy.
        pairs: their validation scores, 0 to 1, and energies in µJ. score: its name; empty while
            no front has a member.
        trials_per_hour: of the present writer; None before it has ended three trainings.
    """

    title: str
    writer: Holder | None
    trials: int
    done: int
    running: int | None
    states: dict[str, int]
    baselines: int
    fronts: dict[str, list[int]]
    pairs: dict[str, list[tuple[float, float]]]
    score: str
    trials_per_hour: float | None

    def __repr__(self) -> str:
        """In a line: how many trials are done of how many."""
        return f"<status: {self.done} of {self.trials} trials>"

    @property
    def minutes_left(self) -> float | None:
        """At the present speed; None where nobody runs, or no speed is known."""
        if self.trials_per_hour is None or self.writer is None or self.writer.lives is False:
            return None
        return 60 * max(self.trials - self.done, 0) / self.trials_per_hour

    def to_dict(self) -> dict[str, object]:
        """It as JSON values."""
        lives = self.writer and self.writer.lives
        return {
            "schema": SCHEMA,
            **asdict(self),
            "writer_lives": lives,
            "minutes_left": self.minutes_left,
        }


def read_status(folder: RunFolder) -> Status:
    """How far the run in a folder is, without a lock; nothing is written.

    Raises RecordError where this is no run folder or a file of it is damaged.
    """
    record = folder.record
    writer = holder(folder.path)
    proposals = read_proposals(folder)
    heads = folder.read_heads()
    ends = {head.key: head.ended for head in heads}
    states = Counter(end.state for end in ends.values())
    trained = [key for key, end in ends.items() if end.trained and end.same_as is None]
    made = RunFronts(folder, heads)
    models, _ = by_price(run_machines(folder))
    members = {model.machine.name: made.members(model) for model in models}
    return Status(
        title=record.title,
        writer=writer,
        trials=record.trials,
        done=len(trained),
        running=None
        if proposals is None
        else sum(not p.ended and key not in ends for key, p in proposals.items()),
        states={state: states[state] for state in get_args(State)},
        baselines=len(folder.files(folder.baselines)),
        fronts={
            name: list(dict.fromkeys(m.key.number for m in found))
            for name, found in members.items()
        },
        pairs={name: [m.pair for m in found] for name, found in members.items()},
        score=next((m.validation.name for found in members.values() for m in found), ""),
        trials_per_hour=_speed([folder.file(key).stat().st_mtime for key in trained], writer),
    )


def _speed(ends: list[float], writer: Holder | None) -> float | None:
    """Trainings per hour between the first and the last that the writer has ended."""
    if writer is None:
        return None
    since = datetime.fromisoformat(writer.since).replace(tzinfo=UTC).timestamp()
    own = sorted(end for end in ends if end >= since)
    if len(own) < 3 or own[-1] == own[0]:
        return None
    return 3600 * (len(own) - 1) / (own[-1] - own[0])
