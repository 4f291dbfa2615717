"""Time to price recorded trials on several machines again, from the Parquet files of a run.

The trials of a run are copied until there are enough, and the machines repeated, each time with
all prices a little higher. Two ways take turns: all columns of all trials at once, as
`autoprune compare` does, and trial by trial from `Outcome` objects. Printed are medians with their
range, and how many costs differ in any bit: between the two ways, and from what was stored while
the run went on.

    python benchmarks/repricing.py RUN [--trials 500] [--machines 8] [--rounds 5]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from autoprune.cost.model import CostModel
from autoprune.runs.columns import TrialColumns
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import run_machines
from autoprune.runs.metrics import charges
from autoprune.trial.key import TrialKey

Energies = dict[tuple[str, str], float]
"""By machine and trial."""


def copies(run: RunFolder, count: int, place: Path) -> RunFolder:
    """A run of `count` trials: those of `run` that were measured, again and again."""
    kept = [outcome for outcome in run.read_trials() if outcome.state == "measured"]
    shutil.copytree(run.path, place, ignore=shutil.ignore_patterns("trials"))
    folder = RunFolder(place)
    folder.trials.mkdir()
    for number in range(count):
        folder.write(replace(kept[number % len(kept)], key=TrialKey(number)))
    return folder


def more_machines(models: Sequence[CostModel], count: int) -> list[CostModel]:
    """So many machines: those of the run, then the same with dearer prices under new names."""
    found = []
    for number in range(count):
        model, again = models[number % len(models)], number // len(models)
        prices = tuple(replace(p, value=p.value * (1 + again / 10)) for p in model.machine.prices)
        name = model.machine.name + f"_{again}" * (again > 0)
        found.append(type(model)(replace(model.machine, name=name, prices=prices)))
    return found


def by_columns(folder: RunFolder, models: Sequence[CostModel]) -> Energies:
    """All trials at once."""
    trials = TrialColumns(folder)
    found: Energies = {}
    for model in models:
        priced = trials.on(model)
        for place, energy in enumerate(priced.energy_uj.tolist()):
            found[model.machine.name, str(place)] = energy
    return found


def one_by_one(folder: RunFolder, models: Sequence[CostModel]) -> Energies:
    """Trial by trial."""
    found: Energies = {}
    machines = {model.machine.name: model for model in models}
    for place, outcome in enumerate(folder.read_trials()):
        assert outcome.measurement is not None
        for name, charge in charges(outcome.measurement, machines):
            assert charge.energy_uj is not None, charge.cause
            found[name, str(place)] = charge.energy_uj
    return found


def stored(folder: RunFolder, names: set[str]) -> Energies:
    """What the run wrote down while it went on."""
    return {
        (name, str(place)): charge.energy_uj
        for place, outcome in enumerate(folder.read_trials())
        for name, charge in outcome.charges
        if name in names and charge.energy_uj is not None
    }


def timed(way: Callable[[], Energies]) -> tuple[float, Energies]:
    """Seconds, and what came out."""
    start = time.perf_counter()
    found = way()
    return time.perf_counter() - start, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--machines", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    run = RunFolder(options.run)
    models = more_machines(run_machines(run), options.machines)
    with tempfile.TemporaryDirectory() as place:
        folder = copies(run, options.trials, Path(place) / "run")
        rows = sum(len(o.measurement.workload.ops) for o in folder.read_trials() if o.measurement)
        taken: dict[str, list[float]] = {"columns": [], "one by one": []}
        for _ in range(options.rounds):
            for name, way in (("columns", by_columns), ("one by one", one_by_one)):
                seconds, found = timed(lambda way=way: way(folder, models))
                taken[name].append(seconds)
                if name == "columns":
                    fast = found
        different = sum(fast[key] != energy for key, energy in found.items())
        known = stored(folder, {model.machine.name for model in models})
        changed = sum(fast[key] != energy for key, energy in known.items())
    print(f"{options.trials} trials of {rows} operations in all, {len(models)} machines")
    for name, seconds in taken.items():
        span = f"{min(seconds):.2f} to {max(seconds):.2f}"
        print(f"  {name:10}  {statistics.median(seconds):.2f} s ({span})")
    ratios = np.divide(taken["one by one"], taken["columns"])
    print(f"  ratio {np.median(ratios):.1f} ({ratios.min():.1f} to {ratios.max():.1f})")
    print(f"  {different} of {len(found)} energies differ between the two in any bit")
    print(f"  {changed} of {len(known)} differ from what was stored while running")


if __name__ == "__main__":
    main()
