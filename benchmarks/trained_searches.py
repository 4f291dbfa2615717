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
number. Runs, and what was trained beside them, are kept under --out: a second call goes on, and
`trained_table.py` makes a table of them.

    python benchmarks/trained_searches.py --out DIR [--study fashion] [--seeds 3] [--trials 48]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from paired import gain
from probes import greedy, probes
from seeds import with_seed
from trained_table import add_line, pack, read_lines, unpack

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
from autoprune.trial.trial import run_trial, with_one_shot

Configuration = dict[Parameter, Value]
Row = dict[str, str | int | float]

STRATEGIES = ("uniform", "greedy", "random")


class Trained:
    """The plans of one seed that are trained, by their hash; kept in a file, a line each."""

    # Members of fronts alone are tested, since testing takes longer than training: a plan is then
    # trained a second time, and is the same network; the later line has its test accuracy.

    def __init__(self, file: Path, built: Built, setup: Setup) -> None:
        self.file, self.built, self.setup = file, built, setup
        rows = {str(row["hash"]): row for row in read_lines(file)}
        self.found = {plan: unpack(row) for plan, row in rows.items()}
        self.origins = {plan: str(row["origin"]) for plan, row in rows.items()}

    def of(self, configuration: Configuration, origin: str) -> str:
        """The plan of a configuration, trained now if it was not yet."""
        plan = make_plan(configuration, self.built.shape, self.built.effort)
        if plan.hash not in self.found:
            self.origins[plan.hash] = origin
            self._train(plan, self.built.parts.seed, test=False)
        return plan.hash

    def tested(self, plan: str) -> Measurement:
        """What was measured of a plan, with its test accuracy."""
        found = self.found[plan]
        if found.test is None:
            self._train(found.plan, found.seed, test=True)
        return self.found[plan]

    def _train(self, plan: Plan, seed: int, *, test: bool) -> None:
        measured = with_one_shot(self.setup, run_trial(self.setup, plan, seed, test=test)[0])
        self.found[plan.hash] = measured
        row = pack(measured, self.built.parts.seed, self.origins[plan.hash])
        add_line(row, self.file)

    def validation(self, plan: str, machine: str) -> float:
        """Validation accuracy at the machine's precision."""
        precision = self.built.machines[machine].machine.precision
        return self.found[plan].at(*precision).validation.accuracy

    def test(self, plan: str, machine: str) -> float:
        """Test accuracy at the machine's precision."""
        score = self.tested(plan).at(*self.built.machines[machine].machine.precision).test
        assert score is not None
        return score.accuracy

    def energy(self, plan: str, machine: str) -> float:
        """Energy on the machine, uJ."""
        return metric_value(f"energy_uj@{machine}", self.found[plan], self.built.machines)


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
    steps = []
    for point in (*removed, *probed):
        plan = trained.of(point, "greedy")
        lost = saved = 0.0
        for name in built.machines:
            lost += trained.validation(tuned, name) - trained.validation(plan, name)
            saved += 1 - trained.energy(plan, name) / trained.energy(tuned, name)
        change = {p: value for p, value in point.items() if value != neutral[p]}
        steps.append((lost, saved, change))
    yield from greedy(neutral, steps)


def recorded(finished: Finished, setup: Setup, trained: Trained) -> list[list[str]]:
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
        assert outcome.measurement is not None
        trained.found.setdefault(plan, outcome.measurement)
        trained.origins[plan] = outcome.origin
        every.append(plan)
        if key == FINE_TUNED or outcome.origin == "uniform":
            uniform.append(plan)
    return [list(dict.fromkeys(plans)) for plans in (uniform, every)]


def volume(trained: Trained, plans: list[str], tuned: str, machine: str) -> float:
    """Hypervolume on test data of the front that validation data choose."""
    found = [(trained.validation(p, machine), trained.energy(p, machine), p) for p in plans]
    front = minimal(np.array([(-accuracy, energy) for accuracy, energy, _ in found])).tolist()
    members = [
        (trained.test(plan, machine), energy)
        for accuracy, energy, plan in found
        if [-accuracy, energy] in front
    ]
    accuracy, energy = trained.test(tuned, machine), trained.energy(tuned, machine)
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
    trained = Trained(out / f"seed{seed}.jsonl", built, setup)
    uniform, every = recorded(finished, setup, trained)
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
            plan = trained.of(point, name)
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
