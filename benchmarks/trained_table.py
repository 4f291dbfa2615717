"""Plans that were trained, with all that was measured of them, in one Parquet file.

A row is a plan on a parent: `parent`, the seed of its split and training, `origin`, who asked for
the plan, and its `hash`; accuracies in percent of the network in floating point on `validation` and
`test` data, and on validation data before it was fine-tuned (`one_shot`); then, as JSON, the
`measurement` (plan, seed of its fine-tuning, scores in all numbers in which it was measured) and a
list of the `workloads` that go with these scores, in their order, each as `autoprune profile
--json` writes it, so that `autoprune price` prices it on any machine.

    python benchmarks/trained_table.py DIR --out FILE.parquet

makes such a file of what `trained_searches.py --out DIR` trained.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from autoprune.runs.folder import RunFolder
from autoprune.study.parent import load_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.study.recorded import recorded_parts
from autoprune.trial.key import PARENT
from autoprune.trial.measurement import Measurement, Score
from autoprune.trial.trial import with_one_shot
from autoprune.workload.workload import Workload

Packed = dict[str, Any]
"""A row of a table."""


def pack(measured: Measurement, parent: int, origin: str) -> Packed:
    """The row of a network as it was trained, without readings after other time steps."""
    plain = replace(measured, readings=())
    return {
        "parent": parent,
        "origin": origin,
        "hash": plain.plan.hash,
        "validation": _percent(plain.validation),
        "test": _percent(plain.test),
        "one_shot": _percent(plain.one_shot),
        "measurement": json.dumps(plain.to_dict()),
        "workloads": [precision.workload.to_json() for precision in plain.precisions],
    }


def _percent(score: Score | None) -> float | None:
    return None if score is None else round(100 * score.accuracy, 4)


def unpack(row: Packed) -> Measurement:
    """The measurement that `pack` wrote."""
    workloads = [Workload.from_json(text) for text in row["workloads"]]
    return Measurement.from_dict(json.loads(row["measurement"]), workloads)


def write_table(rows: Iterable[Packed], file: Path) -> None:
    """Write a table."""
    pq.write_table(pa.Table.from_pylist(list(rows)), file, compression="zstd", compression_level=19)


def read_lines(file: Path) -> list[Packed]:
    """Rows that were kept as they came, a line of JSON each."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def add_line(row: Packed, file: Path) -> None:
    """Keep a row."""
    with file.open("a") as stream:
        stream.write(json.dumps(row) + "\n")


def trained(folder: Path) -> Iterator[Packed]:
    """What the runs in a folder trained, and what was trained beside them; a plan once a parent."""
    for record in sorted(folder.glob("*/study.json")):
        run, found = RunFolder(record.parent), {}
        parts = recorded_parts(run)
        setup = make_setup(parts, load_data(parts), load_parent(parts, run.parent), ())
        for outcome in (*run.read_baselines().values(), *run.read_trials()):
            measured = outcome.measurement
            if measured is not None and outcome.key != PARENT:
                whole = measured if measured.one_shot else with_one_shot(setup, measured)
                found.setdefault(outcome.plan.hash, pack(whole, parts.seed, outcome.origin))
        for row in read_lines(record.parent.with_suffix(".jsonl")):
            found[str(row["hash"])] = row
        yield from found.values()


def main() -> None:
    """Make a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = list(trained(given.folder))
    write_table(rows, given.out)
    print(f"{len(rows)} plans, {given.out.stat().st_size / len(rows):.0f} bytes each: {given.out}")


if __name__ == "__main__":
    main()
