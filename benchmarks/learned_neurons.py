"""What do neurons that learn give over LIF? Per layer, channel and neuron, on one parent.

On the parent of a study every branch of every block is compressed alike: L1P 80, 90 and 95 % of
each matrix, DSP that keeps 1/2 and 1/4. Each is a trial as in a search, with the study's
fine-tuning, once with the parent's neurons and once with threshold and time constant learned
jointly with the weights at each granularity. Seeds are of the fine-tuning; split and parent are the
study's. The difference in test accuracy to LIF is paired by seed, with its 95 % interval (Student's
t) over seeds, so of this parent alone. Nothing corrects the intervals for their number.

    python benchmarks/learned_neurons.py [--study fashion] [--seeds 3] [--out FILE.csv]
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch
from compensation import gain, spread

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.networks.granularity import GRANULARITIES
from autoprune.study.build import Built
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.setup import Setup
from autoprune.trial.trial import run_trial

COMPRESSIONS = (("l1p", 0.8), ("l1p", 0.9), ("l1p", 0.95), ("dsp", 0.5), ("dsp", 0.25))
"""Share of zeros, share of dimensions kept."""

LIF = "fixed"
"""What neurons learn that learn nothing."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One trial and its accuracies."""

    method: str
    value: float
    learned: str
    seed: int
    validation: float
    test: float
    seconds: float


def trial(built: Built, setup: Setup, compression: tuple[str, float], told: str, seed: int) -> Case:
    """One trial whose neurons learn what they are told."""
    method, value = compression
    point: dict[str, float | str] = {f"{p}.{method}": value for p, _ in built.shape.branches()}
    for index in range(len(built.shape.blocks)):
        point |= {f"blocks.{index}.neuron.{what}": told for what in ("threshold", "tau")}
    plan = make_plan(parse_configuration(point), built.shape, built.effort)
    start = time.process_time()
    found, _ = run_trial(setup, plan, seed, test=True)
    assert found.test is not None
    return Case(
        method=method,
        value=value,
        learned=told,
        seed=seed,
        validation=found.validation.accuracy,
        test=found.test.accuracy,
        seconds=round(time.process_time() - start, 1),
    )


def print_table(table: pd.DataFrame) -> None:
    """Accuracies by what is learned, and what each gains over LIF."""
    print(f"{'':9} {'learned':8} {'test %: mean ± sd (least to most)':34} over LIF [95 %]")
    for (method, value), part in table.groupby(["method", "value"], sort=False):
        by = {told: rows.set_index("seed").test for told, rows in part.groupby("learned")}
        for told, scores in sorted(by.items(), key=lambda one: (LIF, *GRANULARITIES).index(one[0])):
            gained = gain(list((scores - by[LIF]).dropna())) if told != LIF else ""
            print(f"{method} {value:4g}  {told:8} {spread(scores):34} {gained}")


def main() -> None:
    """Run every seed, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--study", default="fashion")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/learned_neurons.csv"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    built, found = prepare(arguments.study).built, []
    data = load_data(built.parts)
    setup = make_setup(built.parts, data, find_parent(built.parts, data), ())
    every = itertools.product(range(arguments.seeds), COMPRESSIONS, (LIF, *GRANULARITIES))
    for seed, compression, told in every:
        found.append(trial(built, setup, compression, told, seed))
        print(found[-1], flush=True)
        table = pd.DataFrame([asdict(case) for case in found])
        table.to_csv(arguments.out, index=False)  # an interrupted run leaves what it has
    print_table(table)


if __name__ == "__main__":
    main()
