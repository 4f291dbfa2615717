"""RunFolder: the files of a run, and how outcomes are written to and read from them.

    study.json            what the run is of: see `autoprune.runs.record`
    study.toml            the study's file as it was read
    space.toml            the search space of a study in Python
    machines/NAME.toml    the machines as they were read
    parent.safetensors    the trained parent
    optuna.journal        the Optuna study
    environments.json     versions, processor, seed, hashes of files: see `environment`
    branches.csv          what each branch loses and saves
    baselines/NAME.parquet, trials/NNNNN.parquet    one outcome each
    confirmed/NNNNN-I.parquet                       trials again, on fresh seeds
    recipe/recipe_I.parquet, recipe.json            trainings that chose learning rates, and these
    warm_start/           what another run had measured when this one began
    checkpoints/NNNNN.safetensors, NAME.safetensors weights of front members, or with `artifacts`
                                                    in the study below that address
    exports/TOKEN.json    exports that are being made: see `exports`
    fronts/MACHINE/       front.csv, front.json, front.png
    fronts.png            the fronts of all machines on one axis
    tensorboard/NAME/, mlflow.db                    the same outcomes, where the study tracks them

What a Parquet file holds: `autoprune.runs.outcome_file`.
"""

from __future__ import annotations

import itertools
from functools import cached_property
from pathlib import Path
from typing import Self

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.plan import Plan
from autoprune.errors import AutopruneError, InputError, RecordError, UnreadableError, did_you_mean
from autoprune.files import (
    half_written,
    is_half_written,
    read_text,
    write_atomically,
    write_text,
)
from autoprune.networks.shape import NetworkShape
from autoprune.runs.artifacts import Artifacts, refuse_storage
from autoprune.runs.links import refuse_links
from autoprune.runs.outcome import Head, Outcome
from autoprune.runs.outcome_file import is_as_written, read_head, read_outcome, write_outcome
from autoprune.runs.record import RunRecord
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Precision
from autoprune.workload.workload import Workload


class RunFolder:
    """A run folder; nothing is created until something is written.

    Args:
        path: of the folder.
        imports: whether classes and functions of the user's own that its files name may be
            imported, and storage opened. Importing a module runs it, and the folder may be
            another's.

    Attributes:
        imports: as given.
        parent, journal, ...: where its files and folders lie.
        set_aside: what was found damaged, under its new name.
    """

    def __init__(self, path: Path, *, imports: bool = False) -> None:
        self.path = path
        self.imports = imports
        self.trials = path / "trials"
        self.baselines = path / "baselines"
        self.confirmed = path / "confirmed"
        self.recipe = path / "recipe"
        self.machines = path / "machines"
        self.checkpoints = path / "checkpoints"
        self.fronts = path / "fronts"
        self.exports = path / "exports"
        self.picture = path / "fronts.png"
        self.warm_start = path / "warm_start"
        self.tensorboard = path / "tensorboard"
        self.mlflow = path / "mlflow.db"
        self.parent = path / "parent.safetensors"
        self.journal = path / "optuna.journal"
        self.branches = path / "branches.csv"
        self.study_file = path / "study.json"
        self.chosen_rates = path / "recipe.json"
        self.environments = path / "environments.json"
        self.set_aside: list[Path] = []

    @classmethod
    def opened(cls, path: Path, *, imports: bool = False) -> Self:
        """The folder of a run that is there; raises what `record` raises, else."""
        folder = cls(path, imports=imports)
        _ = folder.record
        return folder

    def file(self, key: TrialKey) -> Path:
        """Where the outcome of that key lies."""
        if key.is_baseline:
            folder = self.baselines
        elif key.is_recipe:
            folder = self.recipe
        else:
            folder = self.trials if key.is_trial else self.confirmed
        return folder / f"{key.whole.stem}.parquet"

    def checkpoint(self, key: TrialKey) -> Path:
        """Where the weights of that trial or baseline lie, if they were kept."""
        return self.checkpoints / f"{key.whole.stem}.safetensors"

    @cached_property
    def artifacts(self) -> Artifacts | None:
        """Storage for weights and copies of outcomes, where the study names one.

        InputError where it may not be opened, RecordError where it cannot be used or is another
        run's.
        """
        places = self.record.places if self.study_file.is_file() else None
        if places is None or places.artifacts is None:
            return None
        if not self.imports:
            refuse_storage(places.artifacts, f"{self.study_file}: places.artifacts")
        found = Artifacts(places.artifacts)
        found.check_claimed(places.mark or "")
        return found

    def write(self, outcome: Outcome) -> None:
        """Put an outcome on disk, synced, whole or not at all; then its copy where it belongs."""
        file = self.file(outcome.key)
        write_atomically(file, lambda part: write_outcome(outcome, part))
        if self.artifacts is not None:
            self.artifacts.put(file, f"{file.parent.name}/{file.name}")

    def files(self, folder: Path) -> list[Path]:
        """The files of outcomes in one of its folders, by key; what else lies there is not ours."""
        named = [(TrialKey.named_by(file.stem), file) for file in folder.glob("*.parquet")]
        found = {key: file for key, file in named if key is not None and self.file(key) == file}
        return [found[key] for key in sorted(found)]

    def read(self, key: TrialKey) -> Outcome:
        """The outcome of that key, also as it is read after other steps than it was trained for.

        Raises RecordError where there is none or its file is damaged.
        """
        file = self.file(key)
        if not file.is_file():
            raise RecordError(f"{self.path}: no trial {str(key)!r}")
        return self._outcome(file).after(key.after)

    def read_heads(self) -> list[Head]:
        """All trials without their operations, by number."""
        return [self._head(file) for file in self.files(self.trials)]

    def read_workload(
        self, key: TrialKey, weight_bits: int | None = None, arithmetic: Arithmetic | None = None
    ) -> Workload:
        """The workload of a trial or baseline, as `read_precision` finds it."""
        return self.read_precision(key, weight_bits, arithmetic).workload

    def read_precision(
        self, key: TrialKey, weight_bits: int | None = None, arithmetic: Arithmetic | None = None
    ) -> Precision:
        """What was measured of a trial or baseline; RecordError where nothing was.

        Of the network as it is, or as a machine of such weights and integers is paired with it.
        """
        outcome = self.read(key)
        if outcome.measurement is None:
            raise RecordError(f"{self.path}: trial {key} failed and has no workload")
        if weight_bits is None:
            return outcome.measurement.precisions[0]
        return outcome.measurement.at(weight_bits, arithmetic)

    def read_trials(self) -> list[Outcome]:
        """The outcomes of all trials, by number."""
        return [self._outcome(file) for file in self.files(self.trials)]

    def read_baselines(self) -> dict[TrialKey, Outcome]:
        """The outcomes of all baselines by key."""
        found = [self._outcome(file) for file in self.files(self.baselines)]
        return {outcome.key: outcome for outcome in found}

    def read_confirmed(self) -> list[Outcome]:
        """The outcomes of trials that ran again on fresh seeds: repetitions."""
        return [self._outcome(file) for file in self.files(self.confirmed)]

    @property
    def bytes(self) -> int:
        """The size of all its files."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def recover(self) -> list[Head]:
        """Remove what a crash left half-written; returns the trials that are whole, by number.

        A file that was read and is damaged is set aside, and named in `set_aside`: its trial runs
        again. One that cannot be read raises UnreadableError and stays, since nobody knows what is
        in it; so does one that is as it was written and does not fit the record, which may be what
        is damaged, or this version, which may not be the one that wrote it.
        """
        _ = self._shape  # what is wrong with the record is no trial's fault
        for file in half_written(self.path):
            file.unlink()
        for folder in (self.baselines, self.confirmed, self.recipe):
            for file in self.files(folder):
                self._sound(file)
        found = map(self._sound, self.files(self.trials))
        return [head for head in found if head is not None]

    def _head(self, file: Path) -> Head:
        head = read_head(file)
        self._check_key(file, head.key)
        self._check_plan(file, head.plan)
        return head

    def _outcome(self, file: Path) -> Outcome:
        outcome = read_outcome(file)
        self._check_key(file, outcome.key)
        self._check_plan(file, outcome.plan)
        return outcome

    def _check_key(self, file: Path, key: TrialKey) -> None:
        """RecordError where what was read of a file is another's."""
        if self.file(key) != file:
            raise RecordError(f"{file}: damaged (it is of {key.words})")

    def _check_plan(self, file: Path, plan: Plan) -> None:
        """RecordError where what was read of a file is of another network than the record."""
        shape = self._shape
        if shape is None:
            return
        wrong = ""
        if plan.blocks != len(shape.blocks):
            wrong = f"a plan of {plan.blocks} blocks, of a network of {len(shape.blocks)}"
        else:
            try:
                plan.short(shape)
            except (AutopruneError, ArithmeticError, LookupError):
                wrong = "a plan that takes from its network what that has not"
        if wrong:
            raise RecordError(f"{file}: {wrong}; this or {self.study_file} is damaged")

    @cached_property
    def _shape(self) -> NetworkShape | None:
        """Shape of the run's network; None where that is not on record, as when a run begins."""
        return self.record.shape if self.study_file.is_file() else None

    def _sound(self, file: Path) -> Head | None:
        """What is in a file; None where it is damaged."""
        try:
            head = read_head(file)
        except UnreadableError:
            raise
        except RecordError as error:
            if is_as_written(file):
                raise RecordError(f"{error}; it is as it was written, and stays") from error
            self.put_aside(file)
            return None
        if self.file(head.key) != file:  # under the name of another
            self.put_aside(file)
            return None
        self._check_plan(file, head.plan)
        return head

    def put_aside(self, file: Path) -> None:
        """Rename a file that is damaged, and note it in `set_aside`."""
        names = (file.with_name(f"{file.name}.damaged-{i}") for i in itertools.count(1))
        aside = next(name for name in names if not name.exists())
        file.rename(aside)
        self.set_aside.append(aside)

    @cached_property
    def record(self) -> RunRecord:
        """What the run is of, as it was when it was first asked for.

        Raises RecordError where this is no run folder, or that of another version.
        """
        if self.path.is_dir():
            refuse_links(self.path)
        if not self.study_file.is_file() and not self.path.is_file():
            near = did_you_mean(str(self.path), self._runs_around())
            raise RecordError(
                f"{self.path}: not a run folder (it has no {self.study_file.name}){near}"
            )
        return RunRecord.from_json(read_text(self.study_file), str(self.study_file))

    def write_record(self, record: RunRecord) -> None:
        """Put down what the run is of."""
        write_text(self.study_file, record.to_json())
        self.record = record

    def _runs_around(self) -> set[str]:
        """Run folders that may have been meant: beside this one, in ``runs`` beside it, in it."""
        places = (self.path.parent, self.path.parent / "runs", self.path)
        return {str(f.parent) for p in places for f in p.glob(f"*/{self.study_file.name}")}


def refuse_foreign(folder: RunFolder) -> None:
    """InputError where a run would begin in a file, or among files that are none of a run's."""
    if folder.path.exists() and not folder.path.is_dir():
        raise InputError(str(folder.path), "a file", "a new or an empty folder, or a run's")
    if folder.study_file.is_file() or not folder.path.is_dir():
        return
    for file in folder.path.iterdir():
        if file.name != "run.lock" and not is_half_written(file):
            given = f"holds {file.name}, and no run"
            raise InputError(str(folder.path), given, "a new or an empty folder, or a run's")
