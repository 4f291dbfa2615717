"""What do neurons that learn give over LIF? Per layer, channel and neuron, on one parent.

On the parent of a study every branch of every block is compressed alike: L1P 80, 90 and 95 % of
each matrix, DSP that keeps 1/2 and 1/4. Each is a trial as in a search, with the study's
fine-tuning, once with the parent's neurons and once with threshold and time constant learned
jointly with the weights at each granularity, at the weights' rate and at others. Seeds are of the
fine-tuning; split and parent are the study's. The difference in test accuracy to LIF is paired by
seed, with its 95 % interval (Student's t) over seeds, so of this parent alone. Nothing corrects the
intervals for their number.

    python benchmarks/learned_neurons.py [--study fashion] [--seeds 3] [--rates 0.1]
        [--out FILE.csv]
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd
import torch
from paired import gain, spread

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
    rate: float
    seed: int
    validation: float
    test: float
    seconds: float


def trial(
    built: Built, setup: Setup, compression: tuple[str, float], told: tuple[str, float], seed: int
) -> Case:
    """One trial whose neurons learn what they are told, at the rate that they are told."""
    (method, value), (learned, rate) = compression, told
    point: dict[str, float | str] = {f"{p}.{method}": value for p, _ in built.shape.branches()}
    for index in range(len(built.shape.blocks)):
        point |= {f"blocks.{index}.neuron.{what}": learned for what in ("threshold", "tau")}
    plan = make_plan(parse_configuration(point), built.shape, built.effort)
    own = replace(setup, recipe=replace(setup.recipe, neuron_learning_rate=rate))
    start = time.process_time()
    found, _ = run_trial(own, plan, seed, test=True)
    assert found.test is not None
    return Case(
        method=method,
        value=value,
        learned=learned,
        rate=rate,
        seed=seed,
        validation=found.validation.accuracy,
        test=found.test.accuracy,
        seconds=round(time.process_time() - start, 1),
    )


def print_table(table: pd.DataFrame) -> None:
    """Accuracies by what is learned, and what each gains over LIF."""
    print(f"{'':9} {'learned':8} rate    {'test %: mean ± sd (least to most)':34} over LIF [95 %]")
    for (method, value), part in table.groupby(["method", "value"], sort=False):
        by = {told: rows.set_index("seed").test for told, rows in part.groupby(["learned", "rate"])}
        (lif,) = (scores for (learned, _), scores in by.items() if learned == LIF)
        for (learned, rate), scores in sorted(by.items(), key=lambda one: _place(*one[0])):
            gained = gain(list((scores - lif).dropna())) if learned != LIF else ""
            print(f"{method} {value:4g}  {learned:8} {rate:<7g} {spread(scores):34} {gained}")


def _place(learned: str, rate: float) -> tuple[int, float]:
    return (LIF, *GRANULARITIES).index(learned), rate


def main() -> None:
    """Run every seed, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--study", default="fashion")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="*", default=[0.1])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/learned_neurons.csv"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    built, found = prepare(arguments.study).built, []
    data = load_data(built.parts)
    setup = make_setup(built.parts, data, find_parent(built.parts, data), ())
    own = built.effort.learning_rate
    told = [(LIF, own), *itertools.product(GRANULARITIES, (own, *arguments.rates))]
    every = itertools.product(range(arguments.seeds), COMPRESSIONS, told)
    for seed, compression, learns in every:
        found.append(trial(built, setup, compression, learns, seed))
        print(found[-1], flush=True)
        table = pd.DataFrame([asdict(case) for case in found])
        table.to_csv(arguments.out, index=False)  # an interrupted run leaves what it has
    print_table(table)


if __name__ == "__main__":
    main()
