"""Runs with faults: what they left, against what an undisturbed run has, and the table of it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from autoprune.errors import RecordError
from autoprune.files import PARTIAL
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Outcome
from autoprune.runs.outcome_file import read_outcome
from tests.short import untested

DRIVER = Path(__file__).with_name("driver.py")
TRIALS = 9
tally: dict[str, Counter[str]] = {}


@dataclass
class Run:
    """A run of a study that is started, disturbed, and started again.

    Attributes:
        trained: the outcomes that were on disk when a fault struck, by file, without test scores,
            which a member of a front gets when its run ends.
    """

    study: str
    folder: Path
    workers: int = 0
    trained: dict[Path, Outcome] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def start(self, fault: str = "none", moment: int = 0, trials: int = TRIALS) -> Popen[str]:
        """The command; `fault` strikes at the given moment of writing."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        options = ["--workers", self.workers, "--trials", trials, "--out", self.folder]
        command = [DRIVER, fault, moment, self.log, "run", self.study, *options]
        return Popen(
            [sys.executable, *map(str, command)],
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            start_new_session=True,
        )

    def finish(self, fault: str = "none", moment: int = 0) -> tuple[int, str]:
        """Run until it ends; exit code and what it said. What is on disk then is remembered."""
        driver = self.start(fault, moment)
        said, _ = driver.communicate(timeout=1200)
        self.remember()
        return driver.returncode, said

    def remember(self) -> None:
        """Remember the outcomes that are on disk: they must never be trained again."""
        for file in [*self.folder.glob("trials/*.parquet"), *self.folder.glob("baselines/*")]:
            if file.suffix == ".parquet":
                with suppress(RecordError):  # cut by the test
                    self.trained.setdefault(file, untested(read_outcome(file)))

    def moments(self) -> int:
        """How many there were in the last command that ended by itself."""
        return int(self.log.read_text().split()[-1])

    def trials(self) -> list[Outcome]:
        """Everything that has to repeat itself; how long it took does not."""
        found = RunFolder(self.folder)
        return [_untimed(o) for o in (*found.read_baselines().values(), *found.read_trials())]

    def files(self) -> dict[str, bytes]:
        """What has to be the same to the last bit."""
        found = [*self.folder.glob("fronts/*/front.csv"), *self.folder.glob("checkpoints/*")]
        found += [self.folder / "branches.csv", self.folder / "parent.safetensors"]
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in found}

    def recorded(self) -> list[FrozenTrial]:
        """What any Optuna tool reads."""
        places = RunFolder(self.folder).record.places
        if places.storage is not None:
            return optuna.load_study(study_name=places.study, storage=places.storage).trials
        backend = JournalFileBackend(str(self.folder / "optuna.journal"))
        storage = optuna.storages.JournalStorage(backend)
        return optuna.load_study(study_name="autoprune", storage=storage).trials


def _untimed(outcome: Outcome) -> Outcome:
    measurement = outcome.measurement
    if measurement is None:
        return replace(outcome, peak_gib=outcome.peak_gib and 1.0, cause=outcome.cause[:9])
    none = replace(measurement.seconds, training=0, evaluation=0, census=0, other=0)
    return replace(outcome, measurement=replace(measurement, seconds=none))


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One parent for all runs, trained once; one thread each."""
    before = {name: os.environ.get(name) for name in ("AUTOPRUNE_CACHE", "OMP_NUM_THREADS")}
    os.environ.update(AUTOPRUNE_CACHE=str(tmp_path_factory.mktemp("cache")), OMP_NUM_THREADS="1")
    yield
    for name, value in before.items():
        os.environ.pop(name)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session")
def short(root: Path) -> str:
    return str(root / "tests" / "studies" / "short.toml")


@pytest.fixture(scope="session")
def undisturbed(short: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The short study from start to end; the first of two commands trains the parent."""
    run = Run(short, tmp_path_factory.mktemp("undisturbed") / "run")
    code, said = run.finish()
    assert code == 0, said
    return run


@pytest.fixture
def check(undisturbed: Run) -> Callable[..., None]:
    """Complete a disturbed run, compare it with the undisturbed one, and count."""

    def complete(run: Run, fault: str, struck: int, like: Run = undisturbed) -> None:
        code, said = run.finish()
        assert code == 0, said
        assert "Traceback" not in said
        counts = tally.setdefault(fault, Counter())
        counts["struck"] += struck
        counts["lost"] += sum(not file.is_file() for file in run.trained)
        counts["repeated"] += sum(
            file.is_file() and untested(read_outcome(file)) != outcome
            for file, outcome in run.trained.items()
        )
        trials, numbers = run.trials(), [t.number for t in run.recorded()]
        counts["duplicated"] += len(numbers) - len(set(numbers))
        plans = Counter(t.plan.hash for t in trials if t.state == "measured")
        again = Counter(t.plan.hash for t in like.trials() if t.state == "measured")
        counts["duplicated"] += (plans - again).total()
        assert not counts["lost"] + counts["repeated"] + counts["duplicated"], (fault, counts)
        assert trials == like.trials()
        assert run.files() == like.files()
        assert numbers == list(range(len(numbers)))
        states = [t.state for t in run.recorded()]
        assert states == [t.state for t in like.recorded()]
        assert TrialState.RUNNING not in states
        assert not list(run.folder.rglob(f"*{PARTIAL}*"))

    return complete


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of what was done to runs, and what it did."""
    if not tally:
        return
    write = terminalreporter.write_line
    write("")
    write("| fault | injected | trials lost | repeated | duplicated |")
    write("|---|---|---|---|---|")
    for fault, counts in tally.items():
        shown = [counts[name] for name in ("struck", "lost", "repeated", "duplicated")]
        write(f"| {fault} | " + " | ".join(map(str, shown)) + " |")
