"""WarmStart: trials of another run that a search begins with, kept in a folder of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autoprune.errors import RecordError
from autoprune.files import read_json, write_text
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.trial.measurement import Measurement

_HEAD = "warm_start.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """Trials of another run.

    Attributes:
        source: its folder.
        kind: ``measured`` where its trials are those of this study; ``data`` where they are of
            other networks.
        differs: keys that make them others.
        trials: with configurations of this study's space; those with a measurement, each plan once.
        baselines: where they are those of this study.
        outside: how many lie outside the space.
    """

    source: str
    kind: Literal["measured", "data"]
    differs: tuple[str, ...]
    trials: tuple[Outcome, ...]
    baselines: tuple[Outcome, ...]
    outside: int

    @property
    def measured(self) -> dict[str, Measurement]:
        """What need not be trained, by the hash of its plan."""
        if self.kind == "data":
            return {}
        found = (*self.trials, *self.baselines)
        return {o.plan.hash: o.measurement for o in found if o.measurement is not None}

    def __str__(self) -> str:
        found = f"Warm start: {len(self.trials)} trials of {self.source}"
        if self.kind == "measured":
            found += ", priced on the machines of this study; none is trained again."
        else:
            found += f" as data for block_response, on no front: other {', '.join(self.differs)}."
        return found + (f" {self.outside} lie outside the search space." if self.outside else "")


def keep(warm: WarmStart, place: Path) -> None:
    """Copy what a run begins with into a folder of its own: the other run may change or vanish."""
    folder = RunFolder(place)
    for outcome in (*warm.trials, *warm.baselines):
        folder.write(outcome)
    head = {"source": warm.source, "kind": warm.kind, "differs": warm.differs}
    write_text(place / _HEAD, json.dumps({**head, "outside": warm.outside}, indent=1))


def kept(place: Path) -> WarmStart | None:
    """What `keep` has written; None where it has not, or not to the end."""
    if not (place / _HEAD).is_file():
        return None
    head, folder = read_json(place / _HEAD), RunFolder(place)
    try:
        return WarmStart(
            source=str(head["source"]),
            kind="measured" if head["kind"] == "measured" else "data",
            differs=tuple(map(str, head["differs"])),
            trials=tuple(folder.read_trials()),
            baselines=tuple(folder.read_baselines().values()),
            outside=int(head["outside"]),
        )
    except (LookupError, OverflowError, TypeError, ValueError) as error:
        raise RecordError(f"{place / _HEAD}: damaged ({error})") from error
