"""Which score is better? L1P and DSP by each of their scores, before and after fine-tuning.

On the parent of a study every branch of every block is compressed alike: L1P 80 % and 95 % of each
matrix, DSP that keeps 1/2 and 1/4. Each is a trial as in a search, once without epochs (batch norm
re-estimated alone) and once with the study's fine-tuning. Every seed has its own split, parent and
fine-tuning; the difference in test accuracy to the score that is the default is paired by seed,
with its 95 % interval (Student's t). Nothing corrects the intervals for their number.

    python benchmarks/scores.py [--study digits] [--seeds 5] [--out benchmarks/scores.csv]
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd
import torch
from paired import gain, spread

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.study.build import Built
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.setup import Setup
from autoprune.trial.trial import run_trial

SCORES = {
    "l1p": ("magnitude", "magnitude_activity"),
    "dsp": ("l1", "activity", "l1_activity"),
}
"""By method, the default first."""

VALUES = {"l1p": (0.8, 0.95), "dsp": (0.5, 0.25)}
"""Share of zeros, share of dimensions kept."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One trial and its accuracies."""

    method: str
    value: float
    epochs: int
    score: str
    seed: int
    validation: float
    test: float


def cases(built: Built, seed: int) -> Iterator[Case]:
    """Every trial of a seed."""
    seeded = replace(built.parts, seed=seed)
    data = load_data(seeded)
    setup = make_setup(seeded, data, find_parent(seeded, data), ())
    for method, scores in SCORES.items():
        for value, epochs in itertools.product(VALUES[method], (0, built.effort.epochs)):
            for score in scores:
                yield trial(
                    built,
                    replace(setup, options={f"{method}_score": score}),
                    seed,
                    (method, value, epochs, score),
                )


def trial(built: Built, setup: Setup, seed: int, what: tuple[str, float, int, str]) -> Case:
    """One trial."""
    method, value, epochs, score = what
    point = {f"{place}.{method}": value for place, _ in built.shape.branches()}
    effort = replace(built.effort, epochs=epochs)
    plan = make_plan(parse_configuration(point), built.shape, effort)
    found, _ = run_trial(setup, plan, seed, test=True)
    return Case(
        method=method,
        value=value,
        epochs=epochs,
        score=score,
        seed=seed,
        validation=found.validation.accuracy,
        test=found.test.accuracy,
    )


def print_table(table: pd.DataFrame) -> None:
    """Accuracies by score, and what each gains over the default."""
    print(
        f"{'':9} epochs {'score':19} {'test %: mean ± sd (least to most)':34} over default [95 %]"
    )
    for (method, value, epochs), part in table.groupby(["method", "value", "epochs"]):
        by_score = {score: rows.set_index("seed").test for score, rows in part.groupby("score")}
        usual, *others = SCORES[method]
        for score in (usual, *others):
            gained = gain(list(by_score[score] - by_score[usual])) if score in others else ""
            print(
                f"{method} {value:4g}  {epochs:6} {score:19} {spread(by_score[score]):34} {gained}"
            )


def main() -> None:
    """Run every seed, print, write."""
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/scores.csv"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    built, found = prepare(arguments.study).built, []
    for seed in range(arguments.seeds):
        found += list(cases(built, seed))
        table = pd.DataFrame([asdict(case) for case in found])
        table.to_csv(arguments.out, index=False)  # an interrupted run leaves whole seeds
        print(f"seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
    print_table(table)
    print(f"{arguments.out} written after {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
