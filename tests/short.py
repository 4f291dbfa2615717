"""The short study of tests/studies: its text, its run, and what a run repeats."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from autoprune.runs.outcome import Outcome
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import prepare
from autoprune.sweep.progress import Nobody, SearchProgress
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Precision

STUDIES = Path(__file__).with_name("studies")
SHORT = str(STUDIES / "short.toml")
_TEXT = Path(SHORT).read_text(encoding="utf-8")

NETWORK = _TEXT[_TEXT.index("[network]") : _TEXT.index("[parent]")]
"""Its network's table."""


class Noting(Nobody):
    """An observer that notes what it was told."""

    def __init__(self) -> None:
        self.epochs: list[int] = []
        self.tables: list[list[str]] = []
        self.steps: list[SearchProgress] = []

    def training(self, epoch: int, epochs: int) -> None:
        self.epochs.append(epoch)

    def measuring(self, done: int, total: int) -> None:
        self.measured = (done, total)

    def baselines(self, outcomes: dict[TrialKey, Outcome]) -> None:
        self.tables.append([str(key) for key in outcomes])

    def progress(self, standing: SearchProgress) -> None:
        self.steps.append(standing)


def write_short(folder: Path, *changes: tuple[str, str], before: str = "", after: str = "") -> Path:
    """Write it into a folder, texts replaced and lines added, with its space and code beside it.

    A file of the folder that is there already stays as it is, but for the study.
    """
    folder.mkdir(exist_ok=True)
    for name in ("short_space.toml", "own_functions.py", "own_network.py"):
        if not (folder / name).exists():
            shutil.copy(STUDIES / name, folder)
    text = _changed(_TEXT, changes)
    (folder / "study.toml").write_text(f"{before}\n{text}\n{after}\n", encoding="utf-8")
    return folder / "study.toml"


def change_space(study: Path, *changes: tuple[str, str]) -> None:
    """Drop the stem from the space beside it, so that more is sampled, and replace texts."""
    space = study.with_name("short_space.toml")
    stem = ("[stem]\nl1p = { values = [0.0, 0.5] }\n", "")
    text = _changed(space.read_text(encoding="utf-8"), (stem, *changes))
    space.write_text(text, encoding="utf-8")


def _changed(text: str, changes: Sequence[tuple[str, str]]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def run_short(place: Path) -> None:
    """Run it in this process, where nothing is cached yet, and check what an observer is told."""
    watcher = Noting()
    finished = run(prepare(SHORT, workers=0), place, watcher)
    assert watcher.epochs == [0, 1, 2, 3]
    assert watcher.measured == (5, 5)
    assert watcher.tables == [
        [
            "parent",
            "fine-tuned",
            "without blocks.0.attention",
            "without blocks.0.mlp",
            "without all blocks",
        ]
    ]
    last = watcher.steps[-1]
    assert (last.done, last.trials, last.running) == (7, 7, 0)
    assert last.states == {"measured": 9}  # two are baselines
    assert last.best == max(o.ended.score or 0.0 for o in finished.outcomes)
    assert [o.origin for o in finished.outcomes].count("uniform") == 3


def untimed(found: Sequence[Outcome]) -> list[Outcome]:
    """Everything of the outcomes that has to repeat itself; how long they took does not."""
    first = found[0].measurement
    assert first is not None
    quick = replace(first.seconds, training=0, evaluation=0, census=0, other=0)
    return [
        replace(o, measurement=o.measurement and replace(o.measurement, seconds=quick))
        for o in found
    ]


def untested(outcome: Outcome) -> Outcome:
    """Without the test scores, which the members of a front get whenever a run ends."""
    measurement = outcome.measurement
    if measurement is None:
        return outcome

    def blank(precisions: tuple[Precision, ...]) -> tuple[Precision, ...]:
        return tuple(replace(precision, test=None) for precision in precisions)

    readings = tuple(replace(r, precisions=blank(r.precisions)) for r in measurement.readings)
    without = replace(measurement, precisions=blank(measurement.precisions), readings=readings)
    return replace(outcome, measurement=without)
