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
and one that still ends at its winner is named. Reported is the
*test* accuracy over other seeds (0, 1, ...), each with its own split, parent and fine-tuning, and
the difference to LIF, paired by seed, with its 95 % interval (Student's t). Nothing corrects the
intervals for their number: of twenty one misses on average.

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
import math
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields, replace
from functools import cache
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.stats import t as student

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.compress.surgery import batch_norm, l1p
from autoprune.compress.surgery.apply import Manner, compress
from autoprune.compress.surgery.held import held_at_zero
from autoprune.compress.surgery.slif.node import SLIFNode
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.prepare import prepare
from autoprune.trial.setup import Setup
from autoprune.trial.training import batches, correct, train

COMPRESSIONS = {
    "L1P 80 %": ("l1p", 0.8),
    "L1P 95 %": ("l1p", 0.95),
    "DSP 1/2": ("dsp", 0.5),
    "DSP 1/4": ("dsp", 0.25),
}
NONE, LIF, INTRINSIC, SYNAPTIC = "not fine-tuned", "LIF", "intrinsic only", "synaptic only"
SYNERGISTIC = ("layer", "channel", "neuron")
LEARNING = (INTRINSIC, *SYNERGISTIC)
ARMS = (LIF, INTRINSIC, SYNAPTIC, *SYNERGISTIC)

# Okabe and Ito's palette, as in the pictures of a study.
_PALETTE = ("#9a9a9a", "#000000", "#56b4e9", "#0072b2", "#e69f00", "#d55e00", "#cc79a7")
_COLOURS = dict(zip((NONE, *ARMS), _PALETTE, strict=True))
_MARKERS = dict(zip((NONE, *ARMS), "xo^s<D>", strict=True))


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


@dataclass(frozen=True)
class Case:
    """One fine-tuning; a rate of 0 where nothing of the kind learns."""

    study: str
    compression: str
    arm: str
    epochs: int
    seed: int
    learning_rate: float
    neuron_learning_rate: float


@cache
def setup(study: str, seed: int) -> Setup:
    """Split and parent of a seed; a process holds them for as long as it lives."""
    seeded = replace(prepare(study).built.parts, seed=seed)
    data = load_data(seeded)
    return make_setup(seeded, data, find_parent(seeded, data), ())


def train_parent(study_and_seed: tuple[str, int]) -> None:
    """Put the parent of a seed into the cache, so that no two processes train the same."""
    torch.set_num_threads(1)
    setup(*study_and_seed)


def run(case: Case) -> tuple[Case, float, float]:
    """The case, and its validation and test accuracy."""
    torch.set_num_threads(1)
    held = setup(case.study, case.seed)
    torch.manual_seed(case.seed)
    shape = held.adapter.shape(held.parent)
    key, value = COMPRESSIONS[case.compression]
    point: dict[str, float | str] = {f"{place}.{key}": value for place, _ in shape.branches()}
    if case.arm not in (NONE, LIF):
        per = case.arm if case.arm in SYNERGISTIC else "channel"
        for i in range(len(shape.blocks)):
            point |= {f"blocks.{i}.neuron.{what}": per for what in ("threshold", "tau")}
    # Epochs above 0, since a plan without has no neurons that learn; its rate is not looked at.
    effort = Effort(time_steps=held.adapter.time_steps(held.parent), learning_rate=1.0, epochs=1)
    plan = make_plan(parse_configuration(point), shape, effort)
    samples = held.data.train.inputs(slice(held.census_samples))
    manner = Manner(options=held.options, samples=samples, seed=case.seed)
    model = compress(held.parent, plan, held.adapter, manner)
    for parameter in model.parameters():
        parameter.requires_grad_(case.learning_rate > 0)
    for module in model.modules():
        if isinstance(module, SLIFNode):
            for parameter in module.parameters():
                parameter.requires_grad_(case.neuron_learning_rate > 0)
    if case.epochs:
        recipe = replace(
            held.recipe,
            epochs=case.epochs,
            learning_rate=case.learning_rate or 1.0,  # of no parameter then
            neuron_learning_rate=case.neuron_learning_rate or None,
        )
        thinned = l1p.targets(model, plan.part("l1p"), held.adapter)
        with held_at_zero([matrix for target in thinned for matrix in target.matrices]):
            train(model, held.data.train, recipe, case.seed)
    size, number = held.batch_norm_batch_size, held.batch_norm_batches
    batch_norm.reestimate(model, batches(held.data.train, size, number, case.seed))
    parts = (held.data.validation, held.data.test)
    validation, test = (correct(model, part) / len(part) for part in parts)
    return case, validation, test


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


def gain(differences: list[float]) -> str:
    """Mean of paired differences in points with its 95 % interval; a star where it excludes 0."""
    mean = 100 * statistics.mean(differences)
    if len(differences) < 2:
        return f"{mean:+5.1f}"
    half = float(student.ppf(0.975, len(differences) - 1)) * statistics.stdev(differences)
    half *= 100 / math.sqrt(len(differences))
    star = " *" if abs(mean) > half else ""
    return f"{mean:+5.1f} [{mean - half:+5.1f} {mean + half:+5.1f}]{star}"


def spread(accuracies: pd.Series) -> str:
    """Mean, standard deviation, least and most, in percent."""
    percent = 100 * accuracies
    deviation = percent.std() if len(percent) > 1 else 0.0
    return (
        f"{percent.mean():5.1f} ± {deviation:4.1f} ({percent.min():5.1f} to {percent.max():5.1f})"
    )


def print_table(table: pd.DataFrame) -> None:
    """Accuracies per compression, epochs and arm, what each gains over LIF, and the rates."""
    print(
        f"\n{'compression':11} epochs {'arm':14} {'test %: mean ± sd (least to most)':34} "
        f"{'validation %':12} {'gain over LIF, points [95 %]':28} rates"
    )
    for compression in COMPRESSIONS:
        of_compression = table[table.compression == compression]
        for epochs in sorted(of_compression.epochs.unique()):
            part = of_compression[of_compression.epochs == epochs]
            by_arm = {arm: rows.set_index("seed") for arm, rows in part.groupby("arm")}
            for arm in [arm for arm in (NONE, *ARMS) if arm in by_arm]:
                rows = by_arm[arm]
                compared = arm not in (NONE, LIF)
                gained = gain(list(rows.test - by_arm[LIF].test)) if compared else ""
                used = f"{rows.learning_rate.iloc[0]:g} / {rows.neuron_learning_rate.iloc[0]:g}"
                print(
                    f"{compression:11} {epochs:6} {arm:14} {spread(rows.test):34} "
                    f"{100 * rows.validation.mean():12.1f} {gained:28} {used if epochs else ''}"
                )


def print_summary(table: pd.DataFrame) -> None:
    """The gain per seed over all compressions, and whether "synaptic only" repeats LIF."""
    runs = table[table.epochs > 0].pivot_table(
        index=["epochs", "compression", "seed"], columns="arm", values="test"
    )
    print("\ngain over LIF in points, mean of the compressions per seed [95 %]:")
    for epochs, part in runs.groupby("epochs"):
        for arm in LEARNING:
            per_seed = (part[arm] - part[LIF]).groupby("seed").mean()
            print(f"  epochs {epochs}, {arm:14} {gain(list(per_seed))}")
    off = (runs[SYNAPTIC] - runs[LIF]).dropna().abs()
    print(
        f'"synaptic only" has the test accuracy of LIF in {int((off == 0).sum())} of {len(off)} '
        f"runs; largest difference {100 * off.max():.1f} points"
    )


def draw(table: pd.DataFrame, study: str, file: Path) -> None:
    """Every run as a point and the mean as a bar, by compression; a panel per number of epochs."""
    epochs = sorted(count for count in table.epochs.unique() if count)
    figure = Figure(figsize=(max(7.2, 5.0 * len(epochs)), 4.6), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(epochs), sharey=True, squeeze=False)[0]
    for axes, count in zip(panels, epochs, strict=True):
        for place, compression in enumerate(COMPRESSIONS):
            for step, (arm, colour) in enumerate(_COLOURS.items()):
                mine = table[(table.compression == compression) & (table.arm == arm)]
                mine = mine[mine.epochs == (0 if arm == NONE else count)]
                x = place + (step - len(_COLOURS) // 2) * 0.13
                axes.scatter(
                    [x] * len(mine),
                    100 * mine.test,
                    s=16,
                    color=colour,
                    marker=_MARKERS[arm],
                    alpha=0.7,
                    linewidths=0.8 if arm == NONE else 0,
                    label=arm if place == 0 else None,
                )
                axes.hlines(100 * mine.test.mean(), x - 0.055, x + 0.055, color=colour, linewidth=2)
            if place:
                axes.axvline(place - 0.5, color="#dddddd", linewidth=0.8)
        axes.set_xlim(-0.5, len(COMPRESSIONS) - 0.5)
        axes.set_xticks(range(len(COMPRESSIONS)), list(COMPRESSIONS))
        axes.set_title(f"epochs of fine-tuning: {count}", fontsize=10)
        axes.grid(visible=True, axis="y", linewidth=0.4, alpha=0.4)
    panels[0].set_ylabel("test accuracy [%]; bars: mean")
    seeds = table.seed.nunique()
    figure.suptitle(f"{study}: compensation after pruning, seeds: {seeds}", fontsize=11)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=7, fontsize=8
    )
    figure.savefig(file, format="png")


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
