"""What a search finds on a study's network against simpler ones, every plan really trained.

Every seed has its own split and parent. The study is run as it is; then as many plans are trained
by two rules that anybody could follow, after the same baselines and the same uniform sweep:

    uniform   the sweep alone
    greedy    branch by branch, the step that loses least accuracy per energy saved, as removing
              it, and probing it gently and harshly, told
    random    plans drawn evenly from the search space
    the study's own sampler

Per machine a front is chosen by validation accuracy at the machine's precision, after all time
steps, and what counts is the hypervolume of its members' *test* accuracy, as reports have it:
accuracy times decades of energy, from 0.1 below the fine-tuned parent and 1.1 times its energy.
Differences to the study's sampler are
paired by seed, with 95 % intervals (Student's t) over seeds, which nothing corrects for their
number. Runs and rows are kept under --out: a second call goes on.

    python benchmarks/trained_searches.py --out DIR [--study fashion] [--seeds 3] [--trials 48]
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from paired import gain
from probes import greedy, probes
from seeds import with_seed

from autoprune.compress.configuration import make_plan
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.compress.setting import Value
from autoprune.runs.metrics import metric_value
from autoprune.runs.pareto import ACCURACY_MARGIN, COST_FACTOR, front_hypervolume, minimal
from autoprune.search.baselines import baseline_configurations
from autoprune.study.build import Built
from autoprune.study.parent import load_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.driver import run
from autoprune.sweep.finished import Finished
from autoprune.sweep.progress import Nobody
from autoprune.sweep.stop import Stop
from autoprune.sweep.tested import evaluate_tests
from autoprune.trial.key import FINE_TUNED, PARENT
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup
from autoprune.trial.trial import run_trial

Configuration = dict[Parameter, Value]
Row = dict[str, str | int | float]

STRATEGIES = ("uniform", "greedy", "random")
UNKNOWN = ""
"""The test accuracy of a network that was not tested: it is trained again where it is asked for,
as of members of fronts alone, since testing takes longer than training."""


def values(measured: Measurement, built: Built) -> Row:
    """What counts of a plan, on each machine."""
    row: Row = {}
    for name, model in built.machines.items():
        scores = measured.at(*model.machine.precision)
        row[f"validation@{name}"] = scores.validation.accuracy
        row[f"test@{name}"] = scores.test.accuracy if scores.test is not None else UNKNOWN
        row[f"energy_uj@{name}"] = metric_value(f"energy_uj@{name}", measured, built.machines)
    return row


class Trained:
    """The plans of one seed that are trained, by their hash; kept in a file."""

    # A plan that is trained twice is the same network: the later row has its test accuracy.

    def __init__(self, file: Path, built: Built, setup: Setup) -> None:
        self.file, self.built, self.setup = file, built, setup
        self.rows: dict[str, Row] = {}
        self.plans: dict[str, Plan] = {}
        if file.is_file():
            self.rows = {row.pop("hash"): row for row in csv.DictReader(file.open(newline=""))}

    def of(self, configuration: Configuration) -> str:
        """The plan of a configuration, trained now if it was not yet."""
        plan = make_plan(configuration, self.built.shape, self.built.effort)
        self.plans[plan.hash] = plan
        if plan.hash not in self.rows:
            self._train(plan, test=False)
        return plan.hash

    def tested(self, plan: str) -> Row:
        """What is known of a plan, with its test accuracy."""
        if UNKNOWN in self.rows[plan].values():
            self._train(self.plans[plan], test=True)
        return self.rows[plan]

    def _train(self, plan: Plan, *, test: bool) -> None:
        measured, _ = run_trial(self.setup, plan, self.built.parts.seed, test=test)
        self.add(plan.hash, values(measured, self.built))

    def add(self, plan: str, row: Row) -> None:
        """Keep what was measured of a plan."""
        new = not self.file.is_file()
        with self.file.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, ["hash", *row], lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow({"hash": plan, **row})
        self.rows[plan] = row


def random_plans(built: Built) -> Iterator[Configuration]:
    """Every parameter drawn evenly from what the space offers, without end."""
    rng = np.random.default_rng(built.parts.seed)
    domains = built.space.parameters(built.shape)
    while True:
        drawn = {p: domain.all[rng.integers(len(domain.all))] for p, domain in domains.items()}
        yield drawn


def greedy_plans(built: Built, trained: Trained, tuned: str) -> Iterator[Configuration]:
    """Probes of every branch, then their steps one upon the other, the cheapest first."""
    neutral = built.space.complete({}, built.shape, built.effort)
    probed = probes(built.space, built.shape, built.effort)
    yield from probed
    removed = [
        built.space.complete(gone, built.shape, built.effort)
        for gone in baseline_configurations(built.shape).values()
        if len(gone) == 1
    ]
    base, steps = trained.rows[tuned], []
    for point in (*removed, *probed):
        row = trained.rows[trained.of(point)]
        lost = saved = 0.0
        for name in built.machines:
            lost += float(base[f"validation@{name}"]) - float(row[f"validation@{name}"])
            saved += 1 - float(row[f"energy_uj@{name}"]) / float(base[f"energy_uj@{name}"])
        change = {p: value for p, value in point.items() if value != neutral[p]}
        steps.append((lost, saved, change))
    yield from greedy(neutral, steps)


def recorded(finished: Finished, built: Built, setup: Setup, trained: Trained) -> list[list[str]]:
    """Plans of the run, tested and kept: of fine-tuned parent and uniform sweep; of all."""
    outcomes = [*finished.baselines.values(), *finished.outcomes]
    keys = [outcome.key for outcome in outcomes if outcome.measurement is not None]
    doubts, whole = evaluate_tests(finished.folder, setup, 1, keys, Stop())
    assert whole and not doubts, doubts
    every, uniform = [], []
    for key in keys:
        outcome = finished.folder.read(key)
        plan = outcome.plan.hash
        if key == PARENT:
            continue
        trained.plans[plan] = outcome.plan
        if plan not in trained.rows:
            assert outcome.measurement is not None
            trained.add(plan, values(outcome.measurement, built))
        every.append(plan)
        if key == FINE_TUNED or outcome.origin == "uniform":
            uniform.append(plan)
    return [list(dict.fromkeys(plans)) for plans in (uniform, every)]


def volume(trained: Trained, plans: list[str], tuned: str, machine: str) -> float:
    """Hypervolume on test data of the front that validation data choose."""
    names = [f"{what}@{machine}" for what in ("validation", "energy_uj")]
    found = [(*(float(trained.rows[plan][name]) for name in names), plan) for plan in plans]
    front = minimal(np.array([(-accuracy, energy) for accuracy, energy, _ in found])).tolist()
    members = [
        (float(trained.tested(plan)[f"test@{machine}"]), energy)
        for accuracy, energy, plan in found
        if [-accuracy, energy] in front
    ]
    base = trained.tested(tuned)
    accuracy, energy = (float(base[f"{what}@{machine}"]) for what in ("test", "energy_uj"))
    return front_hypervolume(members, (accuracy - ACCURACY_MARGIN, COST_FACTOR * energy))


def searched(study: str, seed: int, trials: int, workers: int, out: Path) -> list[Row]:
    """One seed: hypervolumes by machine of every strategy."""
    prepared = with_seed(study, seed, trials, workers)
    finished = run(prepared, out / f"seed{seed}", Nobody())
    built = prepared.built
    parent = load_parent(built.parts, finished.folder.parent)
    setup = make_setup(
        built.parts,
        load_data(built.parts),
        parent,
        finished.folder.record.weight_bits,
        arithmetics=finished.folder.record.arithmetics,
    )
    torch.set_num_threads(1)
    trained = Trained(out / f"seed{seed}.csv", built, setup)
    uniform, every = recorded(finished, built, setup, trained)
    tuned = finished.baselines[FINE_TUNED].plan.hash
    plans = {"uniform": uniform, built.search.sampler: every}
    asked = {"greedy": greedy_plans(built, trained, tuned), "random": random_plans(built)}
    for name, points in asked.items():
        plans[name] = list(uniform)
        if name == "greedy":  # the baselines told it what removing costs
            plans[name] += [o.plan.hash for k, o in finished.baselines.items() if k != PARENT]
        plans[name] = list(dict.fromkeys(plans[name]))
        for point in points:
            if len(plans[name]) >= len(every):
                break
            plan = trained.of(point)
            if plan not in plans[name]:
                plans[name].append(plan)
    rows: list[Row] = []
    for name, of_it in plans.items():
        found = {m: round(float(volume(trained, of_it, tuned, m)), 4) for m in built.machines}
        rows.append({"seed": seed, "strategy": name, "plans": len(of_it), **found})
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Every seed, then means and differences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--study", default="fashion")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trials", type=int, default=48)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for seed in range(given.seeds):
        rows += searched(given.study, seed, given.trials, given.workers, given.out)
    frame = pd.DataFrame(rows)
    frame.to_csv(given.out / "trained_searches.csv", index=False)
    (sampler,) = {*frame.strategy} - {*STRATEGIES}
    for machine in frame.columns[3:]:
        print(f"\n{machine}: 100 hypervolumes on test data; {sampler} less this one [95 %]")
        table = frame.pivot(index="seed", columns="strategy", values=machine)
        for name in (*STRATEGIES, sampler):
            less = gain(list(table[sampler] - table[name])) if name != sampler else ""
            print(f"  {name:15} {100 * table[name].mean():6.2f}  {less}")


if __name__ == "__main__":
    main()
