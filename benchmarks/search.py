"""Searches on a table of trained plans: how much of its hypervolume each finds, and how soon.

Every plan of a grid is trained, and `benchmarks/search_table.parquet` has what was measured of it
(`benchmarks/search_table.py`): a search is a look-up, the best front is known, and ten seeds of a
sampler take minutes. Energies are those of today's machines. Every strategy gets the same number of
distinct plans; what it proposes twice costs it nothing but is counted. A strategy is warm when the
search begins as autoprune's do, with baselines and uniform sweep; probed when every branch is
compressed alone as well; cold when it begins with nothing.

    python benchmarks/search.py [--seeds 10] [--workers 2] [--only block_response gp]
"""

from __future__ import annotations

import argparse
import csv
import time
import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import optuna
import pandas as pd
import pyarrow.parquet as pq
from optuna.samplers import BaseSampler
from probes import greedy, probes
from rich.progress import track
from search_table import TABLE, table_study
from trained_table import unpack

from autoprune.compress.configuration import make_plan
from autoprune.compress.parameter import Parameter
from autoprune.compress.setting import Value
from autoprune.runs.metrics import metric_value
from autoprune.runs.pareto import ACCURACY_MARGIN, COST_FACTOR, front_hypervolume
from autoprune.search.baselines import first_configurations
from autoprune.search.block_response import BlockResponseSampler, Prior
from autoprune.search.prior import network_prior
from autoprune.search.samplers import Samplers, distributions, to_configuration, to_params

HERE = Path(__file__).parent
MACHINES = ("loihi1", "systolic_14x12")
OBJECTIVES = ("accuracy@loihi1", *(f"energy_uj@{machine}" for machine in MACHINES))
PLANS = (20, 40, 80, 160)
STUCK = 10
GIVE_UP = 200

Configuration = dict[Parameter, Value]
Pair = tuple[float, float]


class Table:
    """The trained grid."""

    def __init__(self) -> None:
        built = table_study()
        self.shape, self.effort, self.space = built.shape, built.effort, built.space
        self.domains = self.space.parameters(self.shape)
        self.distributions = distributions(self.domains)
        self.rows = {}
        for row in pq.read_table(TABLE).to_pylist():
            measured = unpack(row)
            found = [metric_value(name, measured, built.machines) for name in OBJECTIVES]
            self.rows[row["hash"]] = found
        self.parent = self.values(self.hash(self.space.complete({}, self.shape, self.effort)))
        self.best = {machine: self.volume(list(self.rows), machine) for machine in MACHINES}

    def hash(self, configuration: Configuration) -> str:
        """The plan that it means."""
        return make_plan(configuration, self.shape, self.effort).hash

    def values(self, plan: str) -> list[float]:
        """What Optuna is told."""
        return self.rows[plan]

    def volume(self, plans: list[str], machine: str) -> float:
        """Hypervolume of some plans on a machine, as the report has it."""
        energy = OBJECTIVES.index(f"energy_uj@{machine}")
        found = [self.values(plan) for plan in plans]
        reference = (self.parent[0] - ACCURACY_MARGIN, COST_FACTOR * self.parent[energy])
        return front_hypervolume([(v[0], v[energy]) for v in found], reference)

    def prior(self) -> Prior:
        """What autoprune tells block_response."""

        def plan(params: dict[str, Value]) -> str:
            return self.hash(to_configuration(params, self.domains))

        return network_prior(self.domains, OBJECTIVES, "accuracy", self.parent, plan)

    def first(self, *kinds: str) -> list[Configuration]:
        """The configurations with which a search begins."""
        found = first_configurations(self.space, self.shape, self.effort)
        return [point for origin, point in found if origin in kinds]


@cache
def table() -> Table:
    """One per process."""
    return Table()


@dataclass(frozen=True)
class Strategy:
    """How to search: what comes first, who proposes then, and with what lag it hears of results."""

    first: Callable[[Table], list[Configuration]]
    sampler: Callable[[Table, int], Callable[[int], BaseSampler]]
    lag: int = 1


def _named(name: str) -> Callable[[Table, int], Callable[[int], BaseSampler]]:
    def make(known: Table, seed: int) -> Callable[[int], BaseSampler]:
        samplers = Samplers(seed, known.prior())
        return lambda number: samplers.of(name, number)

    return make


def _cold(known: Table, seed: int) -> Callable[[int], BaseSampler]:
    sampler = BlockResponseSampler(known.prior(), seed=seed)
    return lambda number: sampler


def _warm(known: Table) -> list[Configuration]:
    return known.first("baseline", "uniform")


def _probed(known: Table) -> list[Configuration]:
    return _warm(known) + probes(known.space, known.shape, known.effort)


def _greedy(known: Table) -> list[Configuration]:
    """Branch by branch, the step that loses least accuracy per energy saved by its probe."""
    base, steps = known.parent, []
    for change, point in _steps(known).items():
        value = known.values(known.hash(point))
        saved = sum(1 - v / b for v, b in zip(value[1:], base[1:], strict=True))
        steps.append((base[0] - value[0], saved, dict(change)))
    neutral = known.space.complete({}, known.shape, known.effort)
    return [*_probed(known), *greedy(neutral, steps)]


def _steps(known: Table) -> dict[tuple[tuple[Parameter, Value], ...], Configuration]:
    """What baselines and probes change in one branch."""
    neutral = known.space.complete({}, known.shape, known.effort)
    steps = {}
    for point in (
        *known.first("baseline"),
        *probes(known.space, known.shape, known.effort),
    ):
        change = tuple((p, v) for p, v in point.items() if v != neutral[p])
        if len({parameter.place for parameter, _ in change}) == 1:
            steps[change] = point
    return steps


STRATEGIES = {
    "uniform": Strategy(_warm, lambda t, s: None),
    "greedy": Strategy(_greedy, lambda t, s: None),
    "random": Strategy(lambda t: [], _named("random")),
    "qmc": Strategy(lambda t: [], _named("qmc")),
    "tpe cold": Strategy(lambda t: [], _named("tpe")),
    "tpe": Strategy(_warm, _named("tpe")),
    "nsga2": Strategy(_warm, _named("nsga2")),
    "nsga3": Strategy(_warm, _named("nsga3")),
    "gp cold": Strategy(lambda t: [], _named("gp")),
    "gp": Strategy(_warm, _named("gp")),
    "block_response": Strategy(_warm, _named("block_response")),
    "block_response, probed": Strategy(_probed, _named("block_response")),
    "block_response, cold": Strategy(lambda t: [], _cold),
    "block_response, lag 4": Strategy(_warm, _named("block_response"), lag=4),
    "block_response, lag 16": Strategy(_warm, _named("block_response"), lag=16),
    "block_response, lag 64": Strategy(_warm, _named("block_response"), lag=64),
}


class Search:
    """One search; `rows` holds its results per machine and number of plans."""

    def __init__(self, name: str, seed: int) -> None:
        self.known, strategy = table(), STRATEGIES[name]
        self.lag = strategy.lag
        self.untold: deque[tuple[optuna.Trial, list[float]]] = deque()
        self.head = {"strategy": name, "seed": seed}
        self.study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
        self.samplers = Samplers(seed, self.known.prior())
        self.first = strategy.first(self.known)
        self.proposals = strategy.sampler(self.known, seed)
        self.seen: list[str] = []
        self.seconds: list[float] = []
        self.repeated = self.in_a_row = 0
        self.rows: list[dict[str, object]] = []

    def note(self, plans: int) -> None:
        """Write down what so many plans have found."""
        asked = sum(self.seconds) / max(len(self.seconds), 1)
        rest = {"duplicates": self.repeated, "ask_s": asked}
        for machine in MACHINES:
            share = self.known.volume(self.seen, machine) / self.known.best[machine]
            self.rows.append(
                {**self.head, "machine": machine, "plans": plans, "share": share, **rest}
            )

    def run(self, most: int) -> list[dict[str, object]]:
        """Until there are so many plans, or nothing new comes."""
        number = 0
        while len(self.seen) < most and self.step(number):
            number += 1
        for plans in PLANS:
            if len(self.seen) < plans <= most:
                self.note(plans)
        return self.rows

    def step(self, number: int) -> bool:
        """One trial; False where there is none."""
        random = self.samplers.of("random", number)
        if number < len(self.first):
            self.study.enqueue_trial(to_params(self.first[number], self.known.domains))
        elif self.proposals is None or self.in_a_row >= GIVE_UP:
            return False
        elif self.in_a_row < STUCK:
            self.study.sampler = self.proposals(number)
        start = time.perf_counter()
        trial = self.study.ask(self.known.distributions)
        if number >= len(self.first):
            self.seconds.append(time.perf_counter() - start)
        plan = self.known.hash(to_configuration(trial.params, self.known.domains))
        self.study.sampler = random
        self.untold.append((trial, self.known.values(plan)))
        while len(self.untold) >= self.lag:
            self.study.tell(*self.untold.popleft())
        new = plan not in self.seen
        self.in_a_row = 0 if new else self.in_a_row + 1
        self.repeated += not new and number >= len(self.first)
        if new:
            self.seen.append(plan)
            if len(self.seen) in PLANS:
                self.note(len(self.seen))
        return True


def search(name: str, seed: int, most: int) -> list[dict[str, object]]:
    """The rows of one search."""
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return Search(name, seed).run(most)


def main() -> None:
    """Run every strategy, and write a row per strategy, seed, machine and number of plans."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--plans", type=int, default=PLANS[-1], choices=PLANS)
    parser.add_argument("--only", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--out", type=Path, default=HERE / "search.csv")
    arguments = parser.parse_args()
    seeds, most = range(arguments.seeds), arguments.plans
    jobs = [(name, seed, most) for name in arguments.only for seed in seeds]
    with ProcessPoolExecutor(arguments.workers) as pool:
        waiting = [pool.submit(search, *job) for job in jobs]
        rows = [row for done in track(waiting, description="searches") for row in done.result()]
    with arguments.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    show(rows)


def show(rows: list[dict[str, object]]) -> None:
    """Mean and standard deviation over seeds, per strategy, in percent of the table's volume."""
    frame = pd.DataFrame(rows)
    for machine, part in frame.groupby("machine"):
        print(f"\n{machine}: % of the table's hypervolume, mean (standard deviation) over seeds")
        for name in dict.fromkeys(part["strategy"]):
            own = part[part["strategy"] == name]
            counts = sorted(own["plans"].unique())
            shares = [100 * own[own.plans == plans].share for plans in counts]
            cells = [f"{share.mean():6.1f} ({share.std(ddof=0):4.1f})" for share in shares]
            last = own[own.plans == counts[-1]]
            print(f"{name:28}", *cells, f"duplicates {last.duplicates.mean():6.1f}", end="  ")
            print(f"ask {1000 * last.ask_s.mean():7.1f} ms")


if __name__ == "__main__":
    main()
