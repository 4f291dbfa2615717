"""Train every plan of a grid on a network for digits, for searches that look results up.

The grid is `benchmarks/search_space_table.toml`, network, parent and recipe are those of
`benchmarks/search_table.toml`, with its seed for every plan. Rows are appended as they come: a
second call goes on.

    python benchmarks/search_table.py [--workers 2] [--out benchmarks/search_table.csv]
"""

from __future__ import annotations

import argparse
import csv
import itertools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch
from rich.progress import track

from autoprune.compress.configuration import make_plan
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.compress.setting import Value
from autoprune.compress.space import SearchSpace
from autoprune.networks.shape import NetworkShape
from autoprune.runs.metrics import metric_value
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.trial import run_trial

HERE = Path(__file__).parent
MACHINES = ("loihi1", "systolic_14x12")
METRICS = (
    "accuracy",
    *(f"{m}@{machine}" for machine in MACHINES for m in ("accuracy", "energy_uj")),
)

_setup = None


def points(space: SearchSpace, shape: NetworkShape) -> Iterator[dict[Parameter, Value]]:
    """Every point of the grid; several may mean the same plan."""
    domains = space.parameters(shape)
    for values in itertools.product(*(domain.all for domain in domains.values())):
        yield dict(zip(domains, values, strict=True))


def start() -> None:
    """Hold data and parent in a worker."""
    global _setup
    torch.set_num_threads(1)
    built = prepare(str(HERE / "search_table.toml")).built
    data = load_data(built.parts)
    parent = find_parent(built.parts, data)
    _setup = make_setup(built.parts, data, parent, built.weight_bits), built


def measure(plan: Plan) -> dict[str, float | int | str]:
    """One row: the plan's hash, what the searches see, and test accuracy."""
    setup, built = _setup
    measurement, _ = run_trial(setup, plan, built.parts.seed, test=True)
    row = {name: metric_value(name, measurement, built.machines) for name in METRICS}
    return {"hash": plan.hash, **row, "test_accuracy": measurement.test.accuracy}


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "search_table.csv")
    arguments = parser.parse_args()
    start()
    built = _setup[1]
    plans = {}
    for point in points(built.space, built.shape):
        plan = make_plan(point, built.shape, built.effort)
        plans[plan.hash] = plan
    names = ["hash", *METRICS, "test_accuracy"]
    new = not arguments.out.is_file()
    if not new:
        with arguments.out.open(newline="") as stream:
            for row in csv.DictReader(stream):
                plans.pop(row["hash"], None)
    with (
        arguments.out.open("a", newline="") as stream,
        ProcessPoolExecutor(
            arguments.workers, multiprocessing.get_context("spawn"), initializer=start
        ) as pool,
    ):
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        if new:
            writer.writeheader()
        waiting = [pool.submit(measure, plan) for plan in plans.values()]
        for future in track(as_completed(waiting), total=len(waiting), description="plans"):
            writer.writerow(future.result())
            stream.flush()


if __name__ == "__main__":
    main()
