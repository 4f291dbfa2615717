"""Would scores without fine-tuning tell which plans are worth a training? Of a run's own plans.

Each plan that the run trained and measured is measured once more as it is before fine-tuning, its
batch norm re-estimated. Printed are Kendall's tau of the two validation scores over the first
trials, as the run itself prints it, over all, and over those that a search chose, without the
uniform sweep; then what one such score costs of a trial's seconds, both measured here.

    python benchmarks/one_shot.py RUN [RUN ...] [--out FILE.csv]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import torch

from autoprune.report.front.order import kendall_tau
from autoprune.runs.folder import RunFolder
from autoprune.search.trials import ONE_SHOT
from autoprune.study.parent import load_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.study.recorded import recorded_parts
from autoprune.trial.trial import run_trial, with_one_shot


def scored(run: Path) -> Iterator[dict[str, object]]:
    """Both scores of every trial that was trained, and the seconds of both; one trains again."""
    folder = RunFolder(run)
    parts = recorded_parts(folder)
    torch.set_num_threads(1)
    setup = make_setup(parts, load_data(parts), load_parent(parts, folder.parent), ())
    trained = None
    for head in folder.read_heads():
        repeats = head.key.repetition is not None or head.ended.same_as
        if head.key.name or repeats or head.ended.score is None:
            continue
        outcome = folder.read(head.key)
        assert outcome.measurement is not None
        if trained is None:  # what a training takes on this computer
            start = time.perf_counter()
            run_trial(setup, outcome.plan, outcome.measurement.seed)
            trained = time.perf_counter() - start
        start = time.perf_counter()
        early = with_one_shot(setup, outcome.measurement)
        took = time.perf_counter() - start
        assert early.one_shot is not None
        yield {
            "run": run.name,
            "trial": str(head.key),
            "origin": outcome.origin,
            "one_shot": early.one_shot.accuracy,
            "trained": head.ended.score,
            "seconds": round(took, 2),
            "seconds_trained": round(trained, 2),
        }


def tau(rows: pd.DataFrame) -> str:
    """Agreement of the two scores, and of how many."""
    found = kendall_tau(list(rows.one_shot), list(rows.trained))
    return f"{'-' if found is None else f'{found:.2f}'} of {len(rows)}"


def main() -> None:
    """Every run, row by row, then the summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    table = pd.DataFrame([row for run in given.runs for row in scored(run)])
    if given.out:
        table.to_csv(given.out, index=False)
    for run, rows in table.groupby("run", sort=False):
        chosen = rows[rows.origin == "sampled"]
        print(
            f"{run}: tau {tau(rows[:ONE_SHOT])} first, {tau(rows)} in all, {tau(chosen)} chosen; "
            f"{rows.seconds.median():.1f} s of {rows.seconds_trained.median():.1f}"
        )


if __name__ == "__main__":
    main()
