"""What the members of a front score in their machine's integers, beside floating point.

    python benchmarks/integers.py RUN [--machine loihi1]

For each member whose weights were kept: validation scores in floating point, with weights of the
machine's bits, and in its integers (`autoprune.deploy.chip`), which is what `export --nir` tells.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from autoprune.api import open_run
from autoprune.cost.load import load_machine
from autoprune.cost.machine import Machine
from autoprune.deploy.integers import score_in_integers
from autoprune.deploy.member import find_member
from autoprune.runs.folder import RunFolder
from autoprune.trial.key import TrialKey

HEAD = ("trial", "samples", "floating", "rounded", "integers", "clipped", "numbers", "plan")


def scored(run: Path, machine: Machine) -> Iterator[tuple[object, ...]]:
    """A row for each member."""
    folder = RunFolder(run)
    kept = {TrialKey.of_stem(file.stem) for file in folder.checkpoints.iterdir()}
    for trial in open_run(run).front(machine.name).index:
        key = TrialKey.parse(str(trial))
        if key.whole not in kept:
            continue
        member = find_member(folder, key, print)
        measured = member.measurement
        held = score_in_integers(member, machine)
        if held.validation is None or held.clipped is None:
            raise SystemExit(f"{trial}: {held.refused}")
        yield (
            trial,
            held.validation.total,
            measured.validation.correct,
            measured.at(machine.weight_bits).validation.correct,
            held.validation.correct,
            held.clipped.clipped,
            held.clipped.all,
            measured.plan.short(member.shape),
        )


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser()
    options.add_argument("run", type=Path)
    options.add_argument("--machine", default="loihi1")
    given = options.parse_args()
    torch.set_num_threads(1)
    shown = csv.writer(sys.stdout)
    shown.writerow(HEAD)
    for row in scored(given.run, load_machine(given.machine).machine):
        shown.writerow(row)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
