"""The samplers as such, on functions that have nothing to do with networks: ZDT1-4, 6 and DTLZ2.

Problems as in Zitzler, Deb, Thiele, Evol. Comput. 8 (2000) and Deb, Thiele, Laumanns, Zitzler,
CEC 2002, with 10 variables (DTLZ2: 12, and 3 objectives). No sampler is told anything about them.
Printed is the share of the true front's hypervolume; the reference is the worst of each objective
among 1000 random points, so that a share of 0 means nothing better than those.

    python benchmarks/search_functions.py [--seeds 5] [--workers 2] [--only block_response gp]
"""

from __future__ import annotations

import argparse
import csv
import math
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution
from rich.progress import track

from autoprune.runs.pareto import hypervolume, minimal
from autoprune.search.block_response import BlockResponseSampler, Prior
from autoprune.search.samplers import Samplers

EVALUATIONS = (40, 100)
SAMPLERS = ("random", "qmc", "tpe", "nsga2", "nsga3", "gp", "block_response")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A function of `variables` numbers in `low` to `high`, but the first in 0 to 1; its front."""

    of: Callable[[Array], list[float]]
    front: Callable[[], Array]
    variables: int = 10
    low: float = 0.0
    high: float = 1.0

    def bounds(self, index: int) -> tuple[float, float]:
        """Least and greatest value of one variable."""
        return (self.low, self.high) if index else (0.0, 1.0)


def zdt1(x: Array) -> list[float]:
    """Convex front."""
    g = 1 + 9 * x[1:].mean()
    return [x[0], g * (1 - math.sqrt(x[0] / g))]


def zdt2(x: Array) -> list[float]:
    """Concave front."""
    g = 1 + 9 * x[1:].mean()
    return [x[0], g * (1 - (x[0] / g) ** 2)]


def zdt3(x: Array) -> list[float]:
    """Front of five pieces."""
    g = 1 + 9 * x[1:].mean()
    share = x[0] / g
    return [x[0], g * (1 - math.sqrt(share) - share * math.sin(10 * math.pi * x[0]))]


def zdt4(x: Array) -> list[float]:
    """Many local fronts."""
    rest = x[1:]
    g = 1 + 10 * len(rest) + float((rest**2 - 10 * np.cos(4 * np.pi * rest)).sum())
    return [x[0], g * (1 - math.sqrt(x[0] / g))]


def zdt6(x: Array) -> list[float]:
    """Few solutions near the front, unevenly spread."""
    first = 1 - math.exp(-4 * x[0]) * math.sin(6 * math.pi * x[0]) ** 6
    g = 1 + 9 * x[1:].mean() ** 0.25
    return [first, g * (1 - (first / g) ** 2)]


def dtlz2(x: Array) -> list[float]:
    """Spherical front of three objectives."""
    g = float(((x[2:] - 0.5) ** 2).sum())
    a, b = x[0] * math.pi / 2, x[1] * math.pi / 2
    radius = 1 + g
    return [
        radius * math.cos(a) * math.cos(b),
        radius * math.cos(a) * math.sin(b),
        radius * math.sin(a),
    ]


def _optimal(of: Callable[[Array], list[float]], rest: float, variables: int = 10) -> Array:
    """The front: the variables behind the position at their optimum, the position on a grid."""
    grid = np.linspace(0, 1, 2001)
    rows = [np.r_[value, np.full(variables - 1, rest)] for value in grid]
    return minimal(np.array([of(row) for row in rows]))


def _sphere() -> Array:
    grid = np.linspace(0, 1, 33)
    rows = [np.r_[a, b, np.full(10, 0.5)] for a in grid for b in grid]
    return minimal(np.array([dtlz2(row) for row in rows]).round(12))


PROBLEMS = {
    "ZDT1": Problem(zdt1, lambda: _optimal(zdt1, 0.0)),
    "ZDT2": Problem(zdt2, lambda: _optimal(zdt2, 0.0)),
    "ZDT3": Problem(zdt3, lambda: _optimal(zdt3, 0.0)),
    "ZDT4": Problem(zdt4, lambda: _optimal(zdt4, 0.0), low=-5.0, high=5.0),
    "ZDT6": Problem(zdt6, lambda: _optimal(zdt6, 0.0)),
    "DTLZ2": Problem(dtlz2, _sphere, variables=12),
}


def search(name: str, sampler: str, seed: int) -> list[dict[str, object]]:
    """The rows of one search."""
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    problem = PROBLEMS[name]
    space = {f"x{i:02d}": FloatDistribution(*problem.bounds(i)) for i in range(problem.variables)}
    rng = np.random.default_rng(0)
    low, high = np.array([problem.bounds(i) for i in range(problem.variables)]).T
    drawn = rng.uniform(low, high, (1000, problem.variables))
    reference = np.array([problem.of(x) for x in drawn]).max(0)
    best = hypervolume(problem.front(), reference)
    study = optuna.create_study(directions=["minimize"] * len(reference))
    samplers, own = Samplers(seed, Prior()), BlockResponseSampler(seed=seed)
    rows: list[dict[str, object]] = []
    start, values = time.perf_counter(), []
    for number in range(EVALUATIONS[-1]):
        study.sampler = own if sampler == "block_response" else samplers.of(sampler, number)
        trial = study.ask(space)
        found = problem.of(np.array([trial.params[key] for key in space]))
        study.tell(trial, found)
        values.append(found)
        if len(values) in EVALUATIONS:
            share = hypervolume(minimal(np.array(values)), reference) / best
            spent = (time.perf_counter() - start) / len(values)
            head = {"problem": name, "sampler": sampler, "seed": seed}
            rows.append({**head, "evaluations": len(values), "share": share, "ask_s": spent})
    return rows


def main() -> None:
    """Run all, and write a row per problem, sampler, seed and number of evaluations."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    arguments = parser.parse_args()
    jobs = [
        (problem, sampler, seed)
        for sampler in arguments.only
        for problem in arguments.problems
        for seed in range(arguments.seeds)
    ]
    with ProcessPoolExecutor(arguments.workers) as pool:
        waiting = [pool.submit(search, *job) for job in jobs]
        rows = [row for done in track(waiting, description="searches") for row in done.result()]
    with arguments.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    show(pd.DataFrame(rows))


def show(frame: pd.DataFrame) -> None:
    """Mean and standard deviation over seeds, in percent of the true front's hypervolume."""
    for evaluations, part in frame.groupby("evaluations"):
        print(f"\n{evaluations} evaluations: % of the true hypervolume, mean (sd) over seeds")
        names = list(dict.fromkeys(part["problem"]))
        print(f"{'':16}", *(f"{name:>13}" for name in names))
        for sampler in dict.fromkeys(part["sampler"]):
            own = part[part["sampler"] == sampler]
            shares = [100 * own[own.problem == name].share for name in names]
            print(f"{sampler:16}", *(f"{s.mean():6.1f} ({s.std(ddof=0):4.1f})" for s in shares))


if __name__ == "__main__":
    main()
