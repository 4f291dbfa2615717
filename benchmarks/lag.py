"""What it costs to wait for the lag: time for which workers have nothing to do.

Proposal i is made of the results of trials 0 to i - lag, told in order, so that a trial that takes
long holds up the others once the lag is used up. The sampler is `random` here: it proposes the same
trials whatever it sees, and what differs is waiting alone.

Scheduler and Optuna study are the real ones; trials are made up and take uneven lengths of time,
on a clock of their own: log-normal ones, or those that the trials of a recorded run took, drawn
anew. What is printed is time with the lag over time with a lag that no trial ever meets.

    python benchmarks/lag.py [--workers 2 16] [--seeds 5] [--trials 300] [--run runs/digits]
"""

from __future__ import annotations

import argparse
import csv
import heapq
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
from rich.progress import track

from autoprune.compress.plan import Plan
from autoprune.cost.sample import sample_workload
from autoprune.runs.budget import Excess
from autoprune.runs.folder import RunFolder
from autoprune.runs.outcome import Charges
from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.samplers import distributions
from autoprune.search.scheduler import Scheduler
from autoprune.search.spec import SearchSpec
from autoprune.search.storages import open_journal
from autoprune.search.task import Task
from autoprune.sweep.prepare import Prepared, prepare
from autoprune.trial.job import Job
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement, Precision, Score, Seconds

SPREADS = (0.1, 0.5, 1.0)
"""Standard deviation of a trial's length, relative to its mean; lengths are log-normal."""

NO_LAG = 10**6


Lengths = Callable[[int], float]
"""The time that a trial takes, by its own seed."""


def log_normal(spread: float) -> Lengths:
    """Lengths of 1 on average."""
    sigma = np.sqrt(np.log1p(spread**2))
    return lambda seed: float(np.random.default_rng(seed).lognormal(-(sigma**2) / 2, sigma))


def recorded(run: Path) -> Lengths:
    """Lengths as the trials of a run had them."""
    found = [
        sum(astuple(outcome.measurement.seconds))
        for outcome in RunFolder(run).read_trials()
        if outcome.measurement is not None and outcome.same_as is None
    ]
    return lambda seed: float(np.random.default_rng(seed).choice(found))


def made_up(job: Job) -> Measurement:
    """A measurement that costs nothing."""
    correct = 50 + job.seed % 50
    score = Score(correct=correct, total=100)
    bits = job.plan.weight_bits
    return Measurement(
        plan=job.plan,
        seed=job.seed,
        precisions=(
            Precision(bits=bits, validation=score, test=score, workload=sample_workload()),
        ),
        parameters=1000,
        kept_weights=0.5,
        seconds=Seconds(training=1.0, evaluation=0.0, census=0.0, other=0.0),
    )


class Anything:
    """Goals that every made-up trial meets alike."""

    metrics, score = ("accuracy", "effective_sops"), "accuracy"

    def objectives(self, measurement: Measurement) -> list[float]:
        """The accuracy, and one number for all."""
        return [measurement.validation.accuracy, 1.0]

    def charges(self, measurement: Measurement) -> Charges:
        """Nothing."""
        return ()

    def excess(self, measurement: Measurement) -> Excess:
        """No budget."""
        return ()

    def own_work(self, charges: Charges, parent: Charges) -> Excess:
        """No network is apart."""
        return ()

    def known_excess(self, plan: Plan) -> Excess:
        """No budget."""
        return ()


def conduct(prepared: Prepared, folder: Path, seed: int, lag: int, trials: int) -> Scheduler:
    """The scheduler of a run of made-up trials."""
    built, space = prepared.built, prepared.built.space
    task = Task(
        space=space,
        shape=built.shape,
        effort=built.effort,
        seed=seed,
        search=SearchSpec(sampler="random", lag=lag),
        trials=trials,
        goals=Anything(),
    )
    run_folder = RunFolder(folder)
    optuna_study = OptunaStudy(
        StudyPlace(storage=open_journal(run_folder.journal)),
        ["maximize", "minimize"],
        Anything.metrics,
        distributions(space.parameters(built.shape)),
        lag,
    )
    return Scheduler(task, optuna_study, run_folder, lambda outcome, standing: None)


def simulate(scheduler: Scheduler, workers: int, length: Lengths) -> float:
    """Time until all is done, on the trials' clock, where asking and telling take none.

    The baselines, which are waited for once and before any lag, do not count.
    """
    now, began = 0.0, 0.0
    running: list[tuple[float, str, Job]] = []
    while True:
        while len(running) < workers and (job := scheduler.next()) is not None:
            if job.key == TrialKey(0):
                began = now
            heapq.heappush(running, (now + length(job.seed), job.key, job))
        if not running:
            return now - began
        now, key, job = heapq.heappop(running)
        scheduler.finish(key, made_up(job))


def simulated(
    study: str, kinds: dict[str, Lengths], counts: list[int], seeds: int, trials: int
) -> Iterator[dict[str, object]]:
    """A row per number of workers, kind of lengths and lag."""
    prepared = prepare(study)
    cells = [(w, s, m) for w in counts for s in kinds for m in (1, 2, 4)]
    free: dict[tuple[int, str, int], float] = {}
    for workers, kind, times in track(cells, description="simulated"):
        over = []
        for seed in range(seeds):
            spent = []
            for lag in (workers * times, NO_LAG):
                if lag == NO_LAG and (workers, kind, seed) in free:
                    continue
                with tempfile.TemporaryDirectory() as scratch:
                    scheduler = conduct(prepared, Path(scratch), seed, lag, trials)
                    spent.append(simulate(scheduler, workers, kinds[kind]))
            base = free.setdefault((workers, kind, seed), spent[-1])
            over.append(100 * (spent[0] / base - 1))
        yield {
            "workers": workers,
            "lengths": kind,
            "lag": workers * times,
            "waiting_percent": round(statistics.mean(over), 1),
            "least": round(min(over), 1),
            "most": round(max(over), 1),
        }


def main() -> None:
    """Print a row per cell and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 16])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=300, help="per search")
    parser.add_argument("--run", type=Path, help="a run whose trials' lengths to draw from, too")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    arguments = parser.parse_args()
    kinds = {f"spread {spread}": log_normal(spread) for spread in SPREADS}
    if arguments.run is not None:
        kinds[f"as in {arguments.run.name}"] = recorded(arguments.run)
    counts, seeds, trials = arguments.workers, arguments.seeds, arguments.trials
    rows = list(simulated(arguments.study, kinds, counts, seeds, trials))
    for row in rows:
        print(
            f"{row['workers']} workers, {row['lengths']}, lag {row['lag']}: "
            f"{row['waiting_percent']} % longer ({row['least']} to {row['most']})"
        )
    with arguments.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
