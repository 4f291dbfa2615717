"""Uniform sweeps of the digits study: how much of its hypervolume each of several rules finds.

L1P at 50, 80, 90 and 95 %, DSP at 1, 1/2 and 1/4, the same in every branch, at T = 4, 3 and 2, with
neurons as they are: 36 plans and the fine-tuned parent, trained with the study's recipe and seed.
Rows are appended as they come: a second call goes on.

    python benchmarks/uniform.py [--out benchmarks/uniform.csv]
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from rich.progress import track

from autoprune.compress.configuration import make_plan
from autoprune.compress.uniform import deal
from autoprune.runs.metrics import metric_value
from autoprune.runs.pareto import front_hypervolume
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.trial import run_trial

HERE = Path(__file__).parent
MACHINES = ("loihi1", "systolic_14x12")
METRICS = tuple(f"{m}@{machine}" for machine in MACHINES for m in ("accuracy", "energy_uj"))
SETTINGS = ("l1p", "dsp", "time_steps")
L1P, DSP, STEPS = (0.5, 0.8, 0.9, 0.95), (1.0, 0.5, 0.25), (4, 3, 2)
PARENT = (0.0, 1.0, 4)
PAIRS = list(itertools.product(L1P, DSP))

SWEEPS = {
    "all 4 x 3 x 3": list(itertools.product(L1P, DSP, STEPS)),
    "4 x 3 at T = 4": [(*pair, 4) for pair in PAIRS],
    "4 x 3, T dealt out": deal(PAIRS, [STEPS]),
    "3 x 2 x 3, as the study": list(itertools.product((0.5, 0.8, 0.95), (1.0, 0.5), STEPS)),
}


def train(missing: list[tuple[float, ...]]) -> Iterator[tuple[float, ...]]:
    """A row of the file for each."""
    torch.set_num_threads(1)
    built = prepare("digits").built
    data = load_data(built.parts)
    parent = find_parent(built.parts, data)
    setup = make_setup(built.parts, data, parent, built.weight_bits)
    neutral = built.space.complete({}, built.shape, built.effort)
    for row in track(missing, description="plans"):
        given = dict(zip(SETTINGS, row, strict=True))
        same = {p: given.get(p.setting, value) for p, value in neutral.items()}
        plan = make_plan(same, built.shape, built.effort)
        found, _ = run_trial(setup, plan, built.parts.seed)
        yield (*row, *(metric_value(name, found, built.machines) for name in METRICS))


def show(rows: Mapping[tuple[float, ...], dict[str, str]]) -> None:
    """Hypervolume by machine and sweep, in percent of all plans', above the usual reference."""
    for machine in MACHINES:
        pairs = {
            row: (float(cells[f"accuracy@{machine}"]), float(cells[f"energy_uj@{machine}"]))
            for row, cells in rows.items()
        }
        accuracy, energy = pairs[PARENT]
        volumes = {
            name: front_hypervolume([pairs[row] for row in sweep], (accuracy - 0.1, 1.1 * energy))
            for name, sweep in SWEEPS.items()
        }
        for name, volume in volumes.items():
            share = 100 * volume / volumes["all 4 x 3 x 3"]
            print(f"{machine:15} {name:24} {len(SWEEPS[name]):3} plans {share:6.1f} %")


def main() -> None:
    """Train what is missing, and show what the sweeps find."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "uniform.csv")
    arguments = parser.parse_args()
    arguments.out.touch()
    known = read(arguments.out)
    missing = [row for row in [PARENT, *SWEEPS["all 4 x 3 x 3"]] if row not in known]
    with arguments.out.open("a", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if not known:
            writer.writerow([*SETTINGS, *METRICS])
        for row in train(missing) if missing else ():
            writer.writerow(row)
            stream.flush()
    show(read(arguments.out))


def read(file: Path) -> dict[tuple[float, ...], dict[str, str]]:
    """The rows of the file, by their settings."""
    with file.open(newline="") as stream:
        return {tuple(float(r[name]) for name in SETTINGS): r for r in csv.DictReader(stream)}


if __name__ == "__main__":
    main()
