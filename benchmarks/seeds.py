"""The bundled study over several seeds: how good the parent is, and search against uniform sweep.

Every seed has its own split, parent and search. Per machine the hypervolume of all trials is set
beside that of the uniform sweep alone, and the members of the front that beat uniform compression
at no more energy, outside both 95 % intervals, are counted. Gains have 95 % intervals (Student's t)
over seeds. Runs are kept under --out: a second call goes on.

    python benchmarks/seeds.py --out DIR [--study digits] [--seeds 5] [--trials 48] [--workers 2]
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

from paired import gain

from autoprune.config import find_file
from autoprune.study.study import load_study
from autoprune.sweep.driver import run
from autoprune.sweep.prepare import Prepared, prepare
from autoprune.sweep.progress import Nobody
from autoprune.trial.key import FINE_TUNED, NO_BLOCKS, PARENT


def with_seed(study: str, seed: int, trials: int, workers: int) -> Prepared:
    """The study with another seed, which splits the data in another way."""
    given, _, file = load_study(study)
    space = find_file("search_spaces", given.space, file.parent)
    return prepare(given.model_copy(update={"seed": seed, "space": str(space)}), trials, workers)


def main() -> None:
    """Run every seed, print as it goes, then sum up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=48)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    parents: list[float] = []
    gains: dict[str, list[float]] = {}
    for seed in range(arguments.seeds):
        prepared = with_seed(arguments.study, seed, arguments.trials, arguments.workers)
        start = time.perf_counter()
        finished = run(prepared, arguments.out / f"seed{seed}", Nobody())
        wall = time.perf_counter() - start
        scores = {
            key: (outcome.measurement.validation.accuracy, outcome.measurement.test.accuracy)
            for key, outcome in finished.baselines.items()
            if outcome.measurement is not None
        }
        parents.append(scores[PARENT][1])
        shown = ", ".join(
            f"{key} {100 * scores[key][0]:.1f}/{100 * scores[key][1]:.1f}"
            for key in (PARENT, FINE_TUNED, NO_BLOCKS)
        )
        print(f"seed {seed}: {wall:.0f} s; validation/test % of {shown}", flush=True)
        for name, front in finished.fronts.items():
            gains.setdefault(name, []).append(front.hypervolume - front.uniform_hypervolume)
            print(
                f"  {name:15} hypervolume {front.hypervolume:.4f}, uniform "
                f"{front.uniform_hypervolume:.4f}; {front.beating} of {len(front.rows)} beat it",
                flush=True,
            )
        for warning in finished.warnings:
            print(f"  {warning}", flush=True)
    print(f"parent, test: mean {100 * statistics.mean(parents):.2f} %")
    print("hypervolume gained over the uniform sweep, times 100, mean [95 %]; least to most:")
    for name, values in gains.items():
        least, most = 100 * min(values), 100 * max(values)
        print(f"  {name:15} {gain(values)}; {least:.1f} to {most:.1f}")


if __name__ == "__main__":
    main()
