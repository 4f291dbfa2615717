"""What each branch of a study's parent carries: removed and fine-tuned alike, over several seeds.

The baselines of runs are read, as `seeds.py` and `trained_searches.py` leave them in a folder: each
has a seed of its own for split and parent, and fine-tunes every baseline by a seed of its own. What
a removal costs is the score of the fine-tuned parent less that of the network without, on
validation data, on test data, and on both together; means over runs with their 95 % intervals
(Student's t), which nothing corrects for their number.

    python benchmarks/seeds.py --study digits --seeds 5 --trials 1 --out DIR
    python benchmarks/removal.py DIR
"""

from __future__ import annotations

import argparse
import math
import statistics
from pathlib import Path

from scipy.stats import t as student

from autoprune.runs.folder import RunFolder
from autoprune.trial.key import FINE_TUNED, PARENT, TrialKey

Scores = dict[TrialKey, tuple[float, float]]
"""Validation and test accuracy in percent, by baseline."""


def baselines(run: Path) -> Scores:
    """All baselines of a run whose test data were evaluated, which are all where it has ended."""
    found: Scores = {}
    for key, outcome in RunFolder(run).read_baselines().items():
        measured = outcome.measurement
        if measured is not None and measured.test is not None:
            found[key] = (100 * measured.validation.accuracy, 100 * measured.test.accuracy)
    return found


def interval(values: list[float]) -> str:
    """The mean with its 95 % interval."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:+.1f}"
    half = float(student.ppf(0.975, len(values) - 1)) * statistics.stdev(values)
    half /= math.sqrt(len(values))
    return f"{mean:+.1f} [{mean - half:+.1f} {mean + half:+.1f}]"


def main() -> None:
    """Run by run, then all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    seeds = []
    for record in sorted(parser.parse_args().folder.glob("*/study.json")):
        scores = baselines(record.parent)
        if FINE_TUNED not in scores:
            raise SystemExit(f"{record.parent}: the run has not ended; run it first")
        seeds.append(scores)
        shown = ", ".join(f"{key} {one:.1f}/{other:.1f}" for key, (one, other) in scores.items())
        print(f"{record.parent.name}, validation/test %: {shown}")
    for key in (PARENT, FINE_TUNED):
        one, other = (statistics.mean(scores[key][part] for scores in seeds) for part in (0, 1))
        print(f"{key}: validation {one:.1f} %, test {other:.1f} %, means")
    print("points lost on validation, test, both [95 %]:")
    for key in seeds[0]:
        if key == FINE_TUNED:
            continue
        lost = [[s[FINE_TUNED][part] - s[key][part] for s in seeds] for part in (0, 1)]
        both = [(one + other) / 2 for one, other in zip(*lost, strict=True)]
        print(f"  {key!s:28} " + "  ".join(f"{interval(one):20}" for one in (*lost, both)))


if __name__ == "__main__":
    main()
