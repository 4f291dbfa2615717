"""What each branch of a study's parent carries: removed and fine-tuned alike, over several seeds.

Every seed has its own split, parent and fine-tuning. What a removal costs is the score of the
fine-tuned parent less that of the network without, on validation data, on test data, and on both
together; means over seeds with their 95 % intervals (Student's t), which nothing corrects for
their number.

    python benchmarks/removal.py [--study digits] [--seeds 5]
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import replace

import torch
from scipy.stats import t as student

from autoprune.search.baselines import baseline_plans
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.key import FINE_TUNED, PARENT, TrialKey
from autoprune.trial.trial import run_trial

Scores = dict[TrialKey, tuple[float, float]]
"""Validation and test accuracy in percent, by baseline."""


def baselines(study: str, seed: int) -> Scores:
    """All baselines of the study as if that were its seed."""
    built = prepare(study).built
    parts = replace(built.parts, seed=seed)
    data = load_data(parts)
    setup = make_setup(parts, data, find_parent(parts, data), ())
    found: Scores = {}
    for key, plan in baseline_plans(built.shape, built.effort).items():
        measured, _ = run_trial(setup, plan, seed, test=True)
        assert measured.test is not None
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
    """Train and measure seed by seed, then sum up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start, seeds = time.process_time(), []
    for seed in range(arguments.seeds):
        scores = baselines(arguments.study, seed)
        seeds.append(scores)
        shown = ", ".join(f"{key} {one:.1f}/{other:.1f}" for key, (one, other) in scores.items())
        spent = f"{time.process_time() - start:.0f} s of processor time"
        print(f"seed {seed}, {spent}, validation/test %: {shown}", flush=True)
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
