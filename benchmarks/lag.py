"""What it costs to wait for the lag: time for which workers have nothing to do.

Proposal i is made of the results of trials 0 to i - lag, told in order, so that a trial that takes
long holds up the others once the lag is used up. The sampler is `random` here: it proposes the same
trials whatever it sees, and what differs is waiting alone.

Simulated: the real conductor and record, trials that are made up and take uneven lengths of time on
a clock of their own; time with the lag over time with a lag that no trial ever meets. Real: a study
on Ray with two workers, likewise, the lags in turn.

    python benchmarks/lag.py [--workers 2 16] [--seeds 5] [--trials 300]
    python benchmarks/lag.py --real [--study digits] [--trials 24] [--rounds 3]
"""

from __future__ import annotations

import argparse
import csv
import heapq
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.progress import track

from autoprune.cost.sample import sample_workload
from autoprune.measurement import Measurement, Precision, Score, Seconds
from autoprune.run import Prepared, prepare, run
from autoprune.run_folder import RunFolder
from autoprune.search.conductor import Conductor
from autoprune.search.job import Job
from autoprune.search.journal import open_journal
from autoprune.search.record import Place, Record
from autoprune.search.samplers import distributions
from autoprune.search.task import Task
from autoprune.tracker import Nobody

HERE = Path(__file__).parent
SPREADS = (0.1, 0.5, 1.0)
"""Standard deviation of a trial's length, relative to its mean; lengths are log-normal."""

NO_LAG = 10**6


def length(seed: int, spread: float) -> float:
    """Of a trial: 1 on average; a function of the trial's own seed."""
    sigma = np.sqrt(np.log1p(spread**2))
    return float(np.random.default_rng(seed).lognormal(-(sigma**2) / 2, sigma))


def made_up(job: Job) -> Measurement:
    """A measurement that costs nothing."""
    correct = 50 + job.seed % 50
    score = Score(correct=correct, total=100)
    bits = job.plan.effort.weight_bits
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


def conduct(prepared: Prepared, folder: Path, seed: int, lag: int, trials: int) -> Conductor:
    """The conductor of a run of made-up trials."""
    study, space = prepared.study, prepared.space
    task = Task(
        space=space,
        shape=prepared.shape,
        effort=study.effort,
        seed=seed,
        sampler="random",
        lag=lag,
        trials=trials,
        metrics=["accuracy", "synops"],
        score="accuracy",
        objectives=lambda m: [m.validation.accuracy, 1.0],
        charges=lambda m: (),
        excess=lambda m: (),
        known_excess=lambda plan: (),
    )
    run_folder = RunFolder(folder)
    record = Record(
        Place(storage=open_journal(run_folder.journal)),
        ["maximize", "minimize"],
        ["accuracy", "synops"],
        distributions(space.parameters(prepared.shape)),
        lag,
    )
    return Conductor(task, record, run_folder, lambda outcome: None)


def simulate(conductor: Conductor, workers: int, spread: float) -> float:
    """Time until all is done, on the trials' clock, where asking and telling take none.

    The baselines, which are waited for once and before any lag, do not count.
    """
    now, began = 0.0, 0.0
    running: list[tuple[float, str, Job]] = []
    while True:
        while len(running) < workers and (job := conductor.next()) is not None:
            if job.key == "0":
                began = now
            heapq.heappush(running, (now + length(job.seed, spread), job.key, job))
        if not running:
            return now - began
        now, key, job = heapq.heappop(running)
        conductor.finish(key, made_up(job))


def simulated(study: str, crews: list[int], seeds: int, trials: int) -> Iterator[dict[str, object]]:
    """A row per number of workers, spread of lengths and lag."""
    prepared = prepare(study)
    cells = [(w, s, m) for w in crews for s in SPREADS for m in (1, 2, 4)]
    free: dict[tuple[int, float, int], float] = {}
    for workers, spread, times in track(cells, description="simulated"):
        over = []
        for seed in range(seeds):
            spent = []
            for lag in (workers * times, NO_LAG):
                if lag == NO_LAG and (workers, spread, seed) in free:
                    continue
                with tempfile.TemporaryDirectory() as scratch:
                    conductor = conduct(prepared, Path(scratch), seed, lag, trials)
                    spent.append(simulate(conductor, workers, spread))
            base = free.setdefault((workers, spread, seed), spent[-1])
            over.append(100 * (spent[0] / base - 1))
        yield {
            "trials": "made up",
            "workers": workers,
            "lengths": f"spread {spread}",
            "lag": workers * times,
            "waiting_percent": round(statistics.mean(over), 1),
            "least": round(min(over), 1),
            "most": round(max(over), 1),
        }


def real(study: str, trials: int, rounds: int) -> Iterator[dict[str, object]]:
    """A row per lag: trained trials on Ray, two workers; seconds beside those without a lag."""
    prepared = prepare(study, trials, 2)
    seconds: dict[int, list[float]] = {2: [], 4: [], 8: [], NO_LAG: []}
    for _ in range(rounds):
        for lag, spent in seconds.items():
            search = prepared.study.search.model_copy(update={"sampler": "random", "lag": lag})
            changed = prepared.study.model_copy(update={"search": search})
            with tempfile.TemporaryDirectory() as scratch:
                start = time.perf_counter()
                run(replace(prepared, study=changed), Path(scratch) / "run", Nobody())
                spent.append(time.perf_counter() - start)
                print(f"lag {lag}: {spent[-1]:.1f} s", flush=True)
    for lag in (2, 4, 8):
        pairs = zip(seconds[lag], seconds[NO_LAG], strict=True)
        over = [100 * (own / free - 1) for own, free in pairs]
        yield {
            "trials": f"{study}, trained",
            "workers": 2,
            "lengths": "as they are",
            "lag": lag,
            "waiting_percent": round(statistics.median(over), 1),
            "least": round(min(over), 1),
            "most": round(max(over), 1),
        }


def main() -> None:
    """Print a row per cell and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", action="store_true", help="train on Ray instead of simulating")
    parser.add_argument("--study", default="digits")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 16], help="simulated")
    parser.add_argument("--seeds", type=int, default=5, help="of the simulation")
    parser.add_argument("--trials", type=int, help="per search: 300 made up, or 24 trained")
    parser.add_argument("--rounds", type=int, default=3, help="of training")
    parser.add_argument("--out", type=Path, help="lag.csv, or lag_real.csv, beside this file")
    arguments = parser.parse_args()
    if arguments.real:
        rows = list(real(arguments.study, arguments.trials or 24, arguments.rounds))
    else:
        rows = list(
            simulated(arguments.study, arguments.workers, arguments.seeds, arguments.trials or 300)
        )
    for row in rows:
        print(
            f"{row['trials']}: {row['workers']} workers, {row['lengths']}, lag {row['lag']}: "
            f"{row['waiting_percent']} % longer ({row['least']} to {row['most']})"
        )
    out = arguments.out or HERE / ("lag_real.csv" if arguments.real else "lag.csv")
    with out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
