"""What the driver of a long search costs: 10 000 trials through the real scheduler and Optuna.

20 parameters, 3 objectives: accuracy and the energy of two machines. Trials are made up: what they
compute takes no time. Their outcomes, with small workloads, are priced on 4 machines, written,
synced and told like real ones. Measured are ask and tell (sampler and storage); the driver's whole
turn for a trial (priced, written, told, the next one asked for); what the process' memory grows by
after the first tenth of the trials; the fronts of the 4 machines at the end; resuming on the
folder, and reading its fronts, in a process of its own. Idle are 32 workers whose trials take 5 s
(log-normal, relative spread 0.1), on a clock on which the driver's turns last what they took here,
one after another.

    python benchmarks/scale.py [--trials 10000] [--samplers random block_response] [--out FILE]
"""

from __future__ import annotations

import argparse
import csv
import gc
import heapq
import math
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
import psutil
from optuna.trial import FrozenTrial
from rich.progress import Progress

from autoprune.compress.plan import Plan
from autoprune.config import find_file
from autoprune.cost.model import CostModel
from autoprune.cost.sample import sample_workload
from autoprune.networks.shape import NetworkShape
from autoprune.report.front.front import MachineFront
from autoprune.report.front.run_fronts import RunFronts
from autoprune.runs.budget import Excess
from autoprune.runs.folder import RunFolder
from autoprune.runs.machines import run_machines
from autoprune.runs.metrics import charges, metric_value
from autoprune.runs.outcome import Charges
from autoprune.search.optuna_study import OptunaStudy, StudyPlace
from autoprune.search.samplers import distributions
from autoprune.search.scheduler import Scheduler
from autoprune.search.spec import Sampler, SearchSpec
from autoprune.search.storages import open_journal
from autoprune.search.task import Task
from autoprune.sweep.prepare import Prepared, prepare
from autoprune.sweep.progress import Nobody
from autoprune.sweep.record import write_study
from autoprune.sweep.tracker import Tracker
from autoprune.trial.job import Job
from autoprune.trial.measurement import Measurement, Precision, Score, Seconds

STUDY = "cifar10_spikformer"
OBJECTIVES = ("accuracy", "energy_uj@loihi1", "energy_uj@systolic_14x12")
WORKERS, SECONDS, SPREAD = 32, 5.0, 0.1
"""Simulated workers, and how long their trials take."""

_T = TypeVar("_T")


def prepared_study(folder: Path) -> Prepared:
    """The bundled study with a space of 20 parameters: 5 for each of 4 blocks."""
    space = find_file("search_spaces", "transformer", Path()).read_text(encoding="utf-8")
    tau = next(line for line in space.splitlines() if line.startswith("tau ="))
    (folder / "space.toml").write_text(space.replace(tau, ""), encoding="utf-8")
    study = find_file("studies", STUDY, Path()).read_text(encoding="utf-8")
    own = study.replace('space = "transformer"', 'space = "space.toml"')
    (folder / "study.toml").write_text(own, encoding="utf-8")
    return prepare(str(folder / "study.toml"))


def made_up(job: Job, shape: NetworkShape) -> Measurement:
    """A measurement that costs nothing: losses of branches add up, with noise."""
    left = job.plan.left(shape)
    pairs = list(zip(left.shape.branches(), shape.branches(), strict=True))
    loss, width, zeros = 0.0, 0.0, 0.0
    for (place, own), (_, branch) in pairs:
        weights = sum(own.weights(matrix, own.size) for matrix in own.matrices)
        kept = own.size / branch.size
        sparse = left.zeros_in(place) / weights if weights else 0.0
        loss += 0.02 * (1 - kept) ** 2 + 0.04 * sparse**3
        width, zeros = width + kept / len(pairs), zeros + sparse / len(pairs)
    noise = np.random.default_rng(job.seed).normal(0, 0.003)
    correct = round(10_000 * min(max(0.95 - loss + noise, 0.1), 1.0))
    workload = sample_workload(width=max(1, round(64 * width)), zeros=zeros)
    score = Score(correct=correct, total=10_000)
    return Measurement(
        plan=job.plan,
        seed=job.seed,
        precisions=(Precision(bits=32, validation=score, test=score, workload=workload),),
        parameters=round(1e6 * width * (1 - zeros)),
        kept_weights=width * (1 - zeros),
        seconds=Seconds(training=SECONDS, evaluation=0.0, census=0.0, other=0.0),
    )


class TimedStudy(OptunaStudy):
    """The Optuna study, with a stopwatch at ask and tell."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.asks: list[float] = []
        self.tells: list[float] = []

    def ask(self, *arguments: Any, **named: Any) -> FrozenTrial:
        """Timed."""
        spent, found = timed(lambda: super(TimedStudy, self).ask(*arguments, **named))
        self.asks.append(spent)
        return found

    def tell(self, *arguments: Any) -> None:
        """Timed."""
        spent, _ = timed(lambda: super(TimedStudy, self).tell(*arguments))
        self.tells.append(spent)


class Goals:
    """The objectives on all machines, and no budget."""

    metrics, score = OBJECTIVES, "accuracy"

    def __init__(self, machines: Mapping[str, CostModel]) -> None:
        self._machines = machines

    def objectives(self, measurement: Measurement) -> list[float]:
        """The value of each."""
        return [metric_value(name, measurement, self._machines) for name in OBJECTIVES]

    def charges(self, measurement: Measurement) -> Charges:
        """What the machines charge."""
        return charges(measurement, self._machines)

    def excess(self, measurement: Measurement) -> Excess:
        """No budget."""
        return ()

    def own_work(self, charges: Charges, parent: Charges) -> Excess:
        """No network is apart."""
        return ()

    def known_excess(self, plan: Plan) -> Excess:
        """No budget."""
        return ()


@dataclass
class Search:
    """The driver's side of a run in a folder, as `autoprune.run` puts it together."""

    prepared: Prepared
    folder: RunFolder
    sampler: Sampler
    trials: int
    optuna_study: TimedStudy = field(init=False)
    tracker: Tracker = field(init=False)
    scheduler: Scheduler = field(init=False)

    def __post_init__(self) -> None:
        built = self.prepared.built
        space, machines = built.space, built.machines
        self.tracker = Tracker(machines, built.shape, self.trials, self.folder, Nobody())
        self.optuna_study = TimedStudy(
            StudyPlace(storage=open_journal(self.folder.journal)),
            ["maximize", "minimize", "minimize"],
            OBJECTIVES,
            distributions(space.parameters(built.shape)),
            2 * WORKERS,
        )
        task = Task(
            space=space,
            shape=built.shape,
            effort=built.effort,
            seed=0,
            search=SearchSpec(sampler=self.sampler, lag=2 * WORKERS),
            trials=self.trials,
            goals=Goals(machines),
        )
        known = {head.key: head.ended for head in self.tracker.recover()}
        self.scheduler = Scheduler(
            task, self.optuna_study, self.folder, self.tracker.observe, known
        )
        self.tracker.announce(self.scheduler.standing)


@dataclass
class Day:
    """What was seen while trials were carried out: seconds, bytes by trials done, idle share."""

    turns: list[float] = field(default_factory=list)
    memory: dict[int, int] = field(default_factory=dict)
    idle: float = 0.0


def conduct(search: Search) -> Day:
    """Carry out all trials on simulated workers."""
    shape, scheduler, day = search.prepared.built.shape, search.scheduler, Day()
    sigma = math.sqrt(math.log1p(SPREAD**2))
    free = [(0.0, worker) for worker in range(WORKERS)]
    running: list[tuple[float, int, Job]] = []
    driver, began, waited = 0.0, math.inf, 0.0
    with Progress(transient=True) as progress:
        bar = progress.add_task(search.sampler, total=search.trials)
        while True:
            while free and (job := scheduler.next()) is not None:
                since, worker = heapq.heappop(free)
                begins = max(since, driver)
                if job.key.is_trial:
                    began = min(began, begins)
                    waited += begins - max(since, began)
                length = np.random.default_rng(job.seed).lognormal(-(sigma**2) / 2, sigma)
                heapq.heappush(running, (begins + SECONDS * length, worker, job))
            if not running:
                day.idle = waited / (WORKERS * (driver - began))
                return day
            ended, worker, job = heapq.heappop(running)
            measurement = made_up(job, shape)
            start = time.perf_counter()
            scheduler.finish(job.key, measurement)
            day.turns.append(time.perf_counter() - start)
            driver = max(driver, ended) + day.turns[-1]
            heapq.heappush(free, (ended, worker))
            done = scheduler.standing.done
            if done % max(1, search.trials // 10) == 0 and done not in day.memory:
                gc.collect()
                day.memory[done] = psutil.Process().memory_info().rss
            progress.update(bar, completed=done)


def measure(folder: Path, sampler: Sampler, trials: int) -> dict[str, object]:
    """A whole search; figures by name."""
    prepared, run = prepared_study(folder), RunFolder(folder / "run")
    write_study(prepared, run)
    search = Search(prepared, run, sampler, trials)
    day = conduct(search)
    finish, finished = timed(
        lambda: search.tracker.finish(search.scheduler.standing, search.scheduler.trials)
    )
    assert len(finished.fronts) == 4
    tenth = max(1, trials // 10)
    asks, tells = search.optuna_study.asks[-tenth:], search.optuna_study.tells[-tenth:]
    grown = [size - day.memory[tenth] for done, size in day.memory.items() if done > tenth]
    return {
        "ask_ms": 1000 * statistics.median(asks),
        "tell_ms": 1000 * statistics.median(tells),
        "turn_ms": 1000 * statistics.median(day.turns[-tenth:]),
        "memory_grown_mb": max(grown, default=0) / 1e6,
        "idle_percent": 100 * day.idle,
        "finish_s": finish,
    }


def resume(folder: Path, sampler: Sampler, trials: int) -> dict[str, object]:
    """Go on with a search that is done."""
    prepared, run = prepared_study(folder), RunFolder(folder / "run")
    resumed, search = timed(lambda: Search(prepared, run, sampler, trials))
    assert search.scheduler.finished
    assert search.scheduler.standing.done == trials
    return {"resume_s": resumed}


def read(folder: Path) -> dict[str, object]:
    """Read the trials, and make the fronts of the run's machines, as `autoprune front` does."""
    run = RunFolder(folder / "run")
    models = run_machines(run)
    reading, heads = timed(run.read_heads)

    def fronts() -> list[MachineFront]:
        made = RunFronts(run, heads)
        return [made.of(model) for model in models]

    pricing, found = timed(fronts)
    assert len(found) == 4
    return {"read_s": reading, "fronts_s": pricing}


def timed(call: Callable[[], _T]) -> tuple[float, _T]:
    """Seconds that a call took, and what it gave."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def apart(call: Callable[..., dict[str, object]], *arguments: Any) -> dict[str, object]:
    """What a call gives in a new process, whose memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(call, *arguments).result()


def main() -> None:
    """Print a line per figure and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument(
        "--samplers", nargs="+", choices=get_args(Sampler), default=["random", "block_response"]
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    arguments = parser.parse_args()
    rows = []
    for sampler in arguments.samplers:
        with tempfile.TemporaryDirectory() as scratch:
            figures = apart(measure, Path(scratch), sampler, arguments.trials)
            figures |= apart(resume, Path(scratch), sampler, arguments.trials)
            figures |= apart(read, Path(scratch))
        rows += [
            {"sampler": sampler, "trials": arguments.trials, "figure": k, "value": f"{v:.2f}"}
            for k, v in figures.items()
        ]
    for row in rows:
        print(" ".join(str(value) for value in row.values()))
    with arguments.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
