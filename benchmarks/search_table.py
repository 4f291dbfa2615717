"""Train every plan of a grid on a network for digits, for searches that look results up.

The grid is `benchmarks/search_space_table.toml`, network, parent and recipe are those of
`benchmarks/search_table.toml`, with its seed for every plan. What is trained is kept in a file
beside the table until that is whole: a second call goes on. `trained_table.py` says what a row is.

    python benchmarks/search_table.py [--workers 2] [--most 100] [--out FILE.parquet]
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch
from rich.progress import track
from trained_table import Packed, add_line, pack, read_lines, write_table

from autoprune.compress.configuration import make_plan
from autoprune.compress.plan import Plan
from autoprune.study.build import Built
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.trial import run_trial, with_one_shot

HERE = Path(__file__).parent
TABLE = HERE / "search_table.parquet"
_setup = None


def table_study() -> Built:
    """The study whose plans the table has."""
    return prepare(str(HERE / "search_table.toml")).built


def grid(built: Built) -> Iterator[Plan]:
    """The plan of every point of the grid; several points may mean the same."""
    domains = built.space.parameters(built.shape)
    for values in itertools.product(*(domain.all for domain in domains.values())):
        yield make_plan(dict(zip(domains, values, strict=True)), built.shape, built.effort)


def start() -> None:
    """Hold data and parent in a worker."""
    global _setup
    torch.set_num_threads(1)
    built = table_study()
    data = load_data(built.parts)
    parent = find_parent(built.parts, data)
    _setup = make_setup(built.parts, data, parent, built.weight_bits, arithmetics=built.arithmetics)


def measure(plan: Plan, seed: int) -> Packed:
    """One row of the table."""
    measured, _ = run_trial(_setup, plan, seed, test=True)
    return pack(with_one_shot(_setup, measured), seed, "grid")


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=TABLE)
    parser.add_argument("--most", type=int, help="train so many now; default: all")
    given = parser.parse_args()
    built = table_study()
    plans = {plan.hash: plan for plan in grid(built)}
    lines = given.out.with_suffix(".jsonl")
    known = {row["hash"] for row in read_lines(lines)}
    missing = [plan for plan in plans.values() if plan.hash not in known]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.workers, context, initializer=start) as pool:
        seed = built.parts.seed
        waiting = [pool.submit(measure, plan, seed) for plan in missing[: given.most]]
        for future in track(as_completed(waiting), total=len(waiting), description="plans"):
            add_line(future.result(), lines)
    rows = {str(row["hash"]): row for row in read_lines(lines)}
    print(f"{len(rows)} of {len(plans)} plans are trained")
    if len(rows) == len(plans):
        write_table([rows[plan] for plan in plans], given.out)
        lines.unlink()


if __name__ == "__main__":
    main()
