"""What was measured on the computer at hand, as files in the run folder: measured/NAME."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from autoprune.errors import RecordError
from autoprune.files import read_json, typed, write_text
from autoprune.trial.key import TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What one network took on a machine.

    Attributes:
        key: of the trial or baseline. batch: samples at a time.
        latency_us: median over the rounds, per sample. low_us, high_us: quartiles.
        energy_uj: per sample, of everything that the counter sees; None where there is none.
    """

    key: TrialKey
    batch: int
    latency_us: float
    low_us: float
    high_us: float
    energy_uj: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredOn:
    """A measured machine.

    Attributes:
        name: of the folder. device: what torch computed on, in words. threads: of torch.
        rounds: how often each network had its turn.
        counter: of energy; empty where there is none. missing: what could not be measured, and why.
        timings: of every network and batch size.
    """

    name: str
    device: str
    threads: int
    rounds: int
    counter: str
    missing: tuple[str, ...]
    timings: tuple[Timing, ...]

    def latency(self, batch: int) -> dict[TrialKey, float]:
        """Median latency by key at a batch size, in microseconds per sample."""
        return {t.key: t.latency_us for t in self.timings if t.batch == batch}


def write(run: Path, measured: MeasuredOn) -> Path:
    """Write measured.json and measured.csv; returns their folder."""
    folder = run / "measured" / measured.name
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Timing)], lineterminator="\n")
    writer.writeheader()
    timings = [{**asdict(timing), "key": str(timing.key)} for timing in measured.timings]
    writer.writerows(timings)
    write_text(folder / "measured.csv", text.getvalue())
    write_text(
        folder / "measured.json", json.dumps({**asdict(measured), "timings": timings}, indent=1)
    )
    return folder


def read_all(run: Path) -> list[MeasuredOn]:
    """Everything that was measured for a run; RecordError where a file is damaged."""
    return [_read(file) for file in sorted((run / "measured").glob("*/measured.json"))]


def _read(file: Path) -> MeasuredOn:
    data = read_json(file)
    try:
        timings = tuple(
            Timing(**{**timing, "key": TrialKey.parse(timing["key"])})
            for timing in data.pop("timings")
        )
        missing = tuple(data["missing"])
        return typed(MeasuredOn(**{**data, "missing": missing, "timings": timings}), TrialKey)
    except (AttributeError, LookupError, TypeError, ValueError, RecordError) as error:
        raise RecordError(f"{file}: damaged ({error})") from error
