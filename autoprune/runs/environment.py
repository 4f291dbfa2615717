"""Environment: under what a run's trials were measured, and what has changed since."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import autoprune
from autoprune.errors import RecordError
from autoprune.files import read_json, typed, write_text

_PACKAGES = (
    "autoprune",
    "torch",
    "spikingjelly",
    "optuna",
    "ray",
    "numpy",
    "pandas",
    "safetensors",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a run was started under.

    Attributes:
        versions: of Python and of the packages that decide a result, by name.
        commit: of autoprune's checkout, with ``+changes`` where it has any; empty where autoprune
            is installed without one.
        processor: its model, or the GPU's. threads: of a trial. seed: of the study.
        files: SHA-256 of the study, its search space and its machines, by name; 16 digits.
        since: when it was started, in UTC. first_trial: number of the first trial under it.
    """

    versions: dict[str, str]
    commit: str
    processor: str
    threads: int
    seed: int
    files: dict[str, str]
    since: str = field(
        default_factory=lambda: datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    )
    first_trial: int = 0

    @classmethod
    def here(
        cls, *, gpu: str, threads: int, seed: int, files: Mapping[str, str], first_trial: int
    ) -> Environment:
        """That of this process.

        Args:
            gpu: the model of the one that trials compute on; empty for the processor.
            threads: of a trial.
            seed: of the study.
            files: texts of the study's files, by name.
            first_trial: how many trials were measured before.
        """
        return cls(
            versions={"python": platform.python_version()} | {n: version(n) for n in _PACKAGES},
            commit=_commit(),
            processor=gpu or f"{processor_name()} x {os.cpu_count()}",
            threads=threads,
            seed=seed,
            files={name: _digest(text) for name, text in files.items()},
            first_trial=first_trial,
        )

    def changes(self, before: Environment) -> list[str]:
        """What differs from an earlier one and may change a measurement, in words."""
        pairs: list[tuple[str, object, object]] = [
            (name, before.versions.get(name, "absent"), self.versions.get(name, "absent"))
            for name in sorted({*before.versions, *self.versions})
        ]
        pairs += [
            (name, getattr(before, name), getattr(self, name))
            for name in ("commit", "processor", "threads")
        ]
        pairs += [
            (name, before.files.get(name, "absent"), self.files.get(name, "absent"))
            for name in sorted({*before.files, *self.files})
        ]
        different = [(name, old or "none", new or "none") for name, old, new in pairs if old != new]
        return [f"{name} {old} -> {new}" for name, old, new in different]


def read_environments(file: Path) -> list[Environment]:
    """All that a run was started under, in order; RecordError where the file is damaged."""
    if not file.is_file():
        return []
    try:
        return [typed(Environment(**one)) for one in read_json(file)]
    except (LookupError, TypeError, ValueError) as error:
        raise RecordError(f"{file}: damaged ({error})") from error


def record_environment(file: Path, now: Environment) -> None:
    """Note the present one, unless it is the last one still."""
    known = read_environments(file)
    if not known or now.changes(known[-1]):
        write_text(file, json.dumps([asdict(one) for one in (*known, now)], indent=1))


def _commit() -> str:
    """The commit of the checkout that autoprune is imported from; empty where there is none."""
    folder = Path(autoprune.__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return ""
    git = ["git", "-C", str(folder)]
    try:
        found = [
            subprocess.run([*git, *words], capture_output=True, text=True, check=True).stdout
            for words in (["rev-parse", "--short=12", "HEAD"], ["status", "--porcelain"])
        ]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found[0].strip() + ("+changes" if found[1].strip() else "")


def processor_name() -> str:
    """The model of this computer's processor; its architecture where the system does not say."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
