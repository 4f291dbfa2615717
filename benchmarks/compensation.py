"""Does compensation by sLIF help? Fine-tuning of weights, of neurons, and of both, after pruning.

On the parent of a study every branch of every block is compressed alike: L1P 80 % and 95 %, DSP
by the L1 norm that keeps 1/2 and 1/4. Then it is fine-tuned for 2, 6 and 20 epochs in several ways,
the arms, and batch norm is re-estimated as a trial of a search does it:

    not fine-tuned  batch norm re-estimated only, for reference
    LIF             the parent's neurons; weights, biases and batch norm learn
    intrinsic only  sLIF, threshold and time constant per channel learn; everything else stays
    synaptic only   sLIF whose threshold and time constant stay; everything else learns
    layer, channel, neuron  sLIF with one threshold and time constant for each; all learns together

Learning rates are chosen per compression, arm and number of epochs by the mean *validation*
accuracy over seeds of their own (100 and 101): the weights' with LIF; then, with that, the
neurons' of each arm in which they learn. A grid whose end wins grows by a rate, up to three times,
and one that still ends at its winner is named. Reported is the *test* accuracy over other seeds (0,
1, ...), each with its own split, parent and fine-tuning, and the difference to LIF, paired by seed,
with its 95 % interval (Student's t). Nothing corrects the intervals for their number: of twenty one
misses on average.

"synaptic only" starts from the neurons that it replaces, so that by construction it computes what
LIF computes up to rounding. It takes LIF's rate and is a check, at the fewest epochs; whether the
numbers are equal is printed.

    python benchmarks/compensation.py [--study digits] [--seeds 5] [--workers 2] [--out docs]

writes OUT/compensation.csv, one line per run as it ends, and goes on where that file ends; then
OUT/compensation.png. The numbers depend on neither the number of workers nor their order. --quick
is a smoke test.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import pandas as pd
from compensation_case import (
    ARMS,
    COMPRESSIONS,
    INTRINSIC,
    LIF,
    NONE,
    SYNAPTIC,
    SYNERGISTIC,
    Case,
    run,
    train_parent,
)
from compensation_report import draw, print_summary, print_table


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is computed: epochs, seeds that choose the rates, rates, and how often they grow."""

    epochs: tuple[int, ...]
    tuning_seeds: tuple[int, ...]
    weights: tuple[float, ...]
    neurons: tuple[float, ...]
    further: int


FULL = Size(
    epochs=(2, 6, 20),
    tuning_seeds=(100, 101),
    weights=(1e-3, 3.2e-3, 1e-2, 3.2e-2, 1e-1),
    neurons=(1e-3, 1e-2, 1e-1),
    further=3,
)
QUICK = Size(
    epochs=(1,), tuning_seeds=(100,), weights=(1e-3, 1e-2), neurons=(1e-2, 1e-1), further=0
)


def carried_out(
    pool: Pool, work: Callable[[Any], Any], what: str, items: list[Any]
) -> Iterator[Any]:
    """The results of all items as they come, with a line now and then."""
    start = time.perf_counter()
    for done, result in enumerate(pool.imap_unordered(work, items), start=1):
        if done % max(1, len(items) // 10) == 0 or done == len(items):
            spent = time.perf_counter() - start
            print(f"{what}: {done} of {len(items)}, {spent:.0f} s", flush=True)
        yield result


@dataclass(frozen=True)
class Record:
    """What a file has of a study's cases, and whatever else is asked of it."""

    study: str
    size: Size
    pool: Pool
    file: Path

    def of(self, what: str, cases: list[Case]) -> dict[Case, tuple[float, float]]:
        """Validation and test accuracy of each case; what the file lacks is added to it."""
        found: dict[Case, tuple[float, float]] = {}
        if self.file.is_file():
            with self.file.open(encoding="utf-8", newline="") as stream:
                for study, compression, arm, *numbers in itertools.islice(
                    csv.reader(stream), 1, None
                ):
                    epochs, seed, *rest = numbers
                    rate, own, validation, test = map(float, rest)
                    case = Case(study, compression, arm, int(epochs), int(seed), rate, own)
                    found[case] = validation, test
        else:
            head = [*(field.name for field in fields(Case)), "validation", "test"]
            self.file.write_text(",".join(head) + "\n", encoding="utf-8")
        missing = [case for case in cases if case not in found]
        for case, *scores in carried_out(self.pool, run, what, missing):
            found[case] = scores[0], scores[1]
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write(",".join(map(str, (*astuple(case), *scores))) + "\n")
        return {case: found[case] for case in cases}


Rates = dict[tuple[str, str, int], tuple[float, float]]
"""Those of weights and of neurons, by compression, arm and epochs."""


def chosen_rates(record: Record) -> Rates:
    """Those of best mean validation accuracy over tuning seeds."""
    size = record.size
    each = [*itertools.product(COMPRESSIONS, size.epochs)]

    def lif(compression: str, epochs: int, rate: float) -> tuple[float, float]:
        return rate, 0.0

    best = _best(record, [(c, LIF, e) for c, e in each], size.weights, lif)
    weights = {(compression, epochs): rates[0] for (compression, _, epochs), rates in best.items()}

    def intrinsic(compression: str, epochs: int, rate: float) -> tuple[float, float]:
        return 0.0, rate

    def joint(compression: str, epochs: int, rate: float) -> tuple[float, float]:
        return weights[compression, epochs], rate

    alone = [(c, INTRINSIC, e) for c, e in each]
    best |= _best(record, alone, size.neurons, intrinsic)
    together = [(c, arm, e) for (c, e), arm in itertools.product(each, SYNERGISTIC)]
    best |= _best(record, together, size.neurons, joint)
    for compression, epochs in each:
        best[compression, SYNAPTIC, epochs] = best[compression, LIF, epochs]
    return best


def _best(
    record: Record,
    keys: list[tuple[str, str, int]],
    grid: tuple[float, ...],
    rates: Callable[[str, int, float], tuple[float, float]],
) -> Rates:
    """By compression, arm and epochs: a grid grows where its end wins; ends that stay are named."""
    size, grids, asked = record.size, dict.fromkeys(keys, grid), keys
    scores: dict[tuple[str, str, int], dict[float, float]] = {}
    for step in range(size.further + 1):
        cases = {
            (key, rate): [
                Case(record.study, *key, seed, *rates(key[0], key[2], rate))
                for seed in size.tuning_seeds
            ]
            for key in asked
            for rate in grids[key]
        }
        found = record.of("choosing rates", [*itertools.chain(*cases.values())])
        for (key, rate), runs in cases.items():
            scores.setdefault(key, {})[rate] = sum(found[run][0] for run in runs)
        # Of equal sums the smaller rate is taken.
        best = {key: max(sorted(mine), key=mine.__getitem__) for key, mine in scores.items()}
        asked = [key for key, mine in grids.items() if best[key] in (mine[0], mine[-1])]
        if step < size.further:
            grids |= {key: _grown(grids[key], best[key]) for key in asked}
    for key in asked:
        print(f"at an end of its grid: {', '.join(map(str, key))} epochs, {best[key]:g}")
    return {key: rates(key[0], key[2], rate) for key, rate in best.items()}


def _grown(grid: tuple[float, ...], end: float) -> tuple[float, ...]:
    """The grid with one rate more beyond that end."""
    if end == grid[0]:
        return (float(f"{grid[0] * grid[0] / grid[1]:.2g}"), *grid)
    return (*grid, float(f"{grid[-1] * grid[-1] / grid[-2]:.2g}"))


def main() -> None:
    """Choose rates, run every seed, print, write and draw."""
    start = time.perf_counter()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--quick", action="store_true", help="few rates, 1 seed, 1 epoch")
    arguments = parser.parse_args()
    size = QUICK if arguments.quick else FULL
    seeds = range(1 if arguments.quick else arguments.seeds)
    study = arguments.study
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows, png = (arguments.out / f"compensation.{kind}" for kind in ("csv", "png"))
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        parents = [(study, seed) for seed in (*size.tuning_seeds, *seeds)]
        list(carried_out(pool, train_parent, "parents", parents))
        record = Record(study, size, pool, rows)
        best = chosen_rates(record)
        cases = [
            Case(study, compression, NONE, 0, seed, 0.0, 0.0)
            for compression, seed in itertools.product(COMPRESSIONS, seeds)
        ]
        cases += [
            Case(study, compression, arm, epochs, seed, *best[compression, arm, epochs])
            for compression, epochs, arm, seed in itertools.product(
                COMPRESSIONS, size.epochs, ARMS, seeds
            )
            if arm != SYNAPTIC or epochs == size.epochs[0]
        ]
        results = record.of("measuring", cases)
    table = pd.DataFrame(
        [(*astuple(case), *results[case]) for case in cases],
        columns=[*(field.name for field in fields(Case)), "validation", "test"],
    )
    print_table(table)
    print_summary(table)
    draw(table, Path(study).stem, png)
    print(f"\n{rows} and {png} written after {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
