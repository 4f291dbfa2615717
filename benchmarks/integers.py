"""What the members of a front score in a machine's integers, beside floating point.

    python benchmarks/integers.py RUN [--machine loihi1] [--studies]

For each member whose weights were kept, as it was trained: validation scores in floating point,
with weights of the machine's bits, and in its integers, once for each granularity at which
thresholds and decays may differ. With --studies also whether the parents of the ready studies fit
on every shipped machine, untrained, since limits ask for weights and neurons alone.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from autoprune.api import open_run
from autoprune.compress.surgery.integers.convert import in_integers
from autoprune.config import bundled_names
from autoprune.cost.limits import fit_words
from autoprune.cost.load import load_machine
from autoprune.cost.machine import Machine
from autoprune.deploy.member import find_member
from autoprune.networks.granularity import GRANULARITIES
from autoprune.runs.folder import RunFolder
from autoprune.sweep.prepare import prepare
from autoprune.trial.key import TrialKey
from autoprune.trial.trial import score
from autoprune.workload.census.count import count

HEAD = ("trial", "samples", "floating", "rounded", *GRANULARITIES, "clipped", "numbers", "plan")


def scored(run: Path, machine: Machine) -> Iterator[tuple[object, ...]]:
    """A row for each member; clipped numbers are those of the machine as it is."""
    folder, own = RunFolder(run), machine.arithmetic
    if own is None:
        raise SystemExit(f"{machine.name}: its file has no [arithmetic]")
    kept = {TrialKey.of_stem(file.stem) for file in folder.checkpoints.iterdir()}
    whole = dict.fromkeys(
        TrialKey.parse(str(trial)).whole for trial in open_run(run).front(machine.name).index
    )
    for key in whole:
        if key not in kept:
            continue
        member = find_member(folder, key, print)
        measured, setup = member.measurement, member.setup
        bits = min(measured.plan.weight_bits, machine.weight_bits)
        held = {
            per: in_integers(
                member.network,
                setup.adapter,
                replace(own, threshold_per=per, decay_per=per),
                bits,
                member.inputs(3),
            )
            for per in GRANULARITIES
        }
        scores = [score(setup, one.network, setup.data.validation) for one in held.values()]
        numbers = held[own.threshold_per]
        yield (
            str(key),
            measured.validation.total,
            measured.validation.correct,
            measured.at(machine.weight_bits).validation.correct,
            *(one.correct for one in scores),
            numbers.clipped,
            numbers.numbers,
            measured.plan.short(member.shape),
        )


def fitting() -> Iterator[tuple[str, ...]]:
    """What, of every ready study, the parent exceeds on each machine that has limits."""
    models = {name: load_machine(name) for name in bundled_names("cost_models")}
    limited = {name: model for name, model in models.items() if model.machine.limits}
    yield ("study", *limited)
    for name in bundled_names("studies"):
        parts = prepare(name, workers=0).built.parts
        network = parts.architecture.build().eval()
        shape = (1, *parts.data.about.shape)
        workload = count(network, parts.adapter, torch.rand(shape), activity=False)
        costs = (model.price(workload) for model in limited.values())
        yield (name, *(fit_words(cost.misfits) or "" for cost in costs))


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser()
    options.add_argument("run", type=Path)
    options.add_argument("--machine", default="loihi1")
    options.add_argument("--studies", action="store_true")
    given = options.parse_args()
    torch.set_num_threads(1)
    shown = csv.writer(sys.stdout)
    shown.writerow(HEAD)
    for row in scored(given.run, load_machine(given.machine).machine):
        shown.writerow(row)
        sys.stdout.flush()
    for fits in fitting() if given.studies else ():
        shown.writerow(fits)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
