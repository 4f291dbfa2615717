"""Does compensation help? Fine-tuning of weights, of neurons, and of both, after pruning.

On the parent of a study every branch of every block is pruned alike: L1P 80 % and 95 %, DSP 1/2 and
1/4. Then it is fine-tuned for 2 and 6 epochs in four ways, and batch norm is re-estimated:

    LIF             the parent's neurons; weights learn
    intrinsic only  sLIF, threshold and time constant per channel learn; weights stay
    synaptic only   sLIF whose threshold and time constant stay; weights learn
    synergistic     sLIF; both learn together

Learning rates of weights and of intrinsic parameters are chosen per pruning, way and number of
epochs by the mean *validation* accuracy over seeds of their own (100 and 101); reported is the
*test* accuracy over other seeds (0, 1, ...), each with its own split and parent, and the paired
difference to LIF with its 95 % interval (Student's t). "synaptic only" starts where LIF starts and
computes the same up to rounding, so that it takes LIF's rate and is a check.

    python benchmarks/compensation.py [--study digits] [--seeds 5] [--workers 2] [--out docs]

writes OUT/compensation.csv, one line per run, and OUT/compensation.png.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from functools import cache
from pathlib import Path

import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.stats import t as student

from autoprune.bench import find_parent, load_data, make_bench
from autoprune.compress import batch_norm, l1p
from autoprune.compress.network import compress, targets
from autoprune.compress.slif import SLIFNode
from autoprune.plan import Effort
from autoprune.point import make_plan
from autoprune.run import prepare
from autoprune.training import batches, correct, train
from autoprune.trial import Bench

PRUNINGS = {
    "L1P 80 %": ("l1p", 0.8),
    "L1P 95 %": ("l1p", 0.95),
    "DSP 1/2": ("dsp", 0.5),
    "DSP 1/4": ("dsp", 0.25),
}
NONE, LIF = "not fine-tuned", "LIF"
WAYS = (LIF, "intrinsic only", "synaptic only", "synergistic")
TUNING_SEEDS = (100, 101)
WEIGHT_RATES = (1e-3, 3e-3, 1e-2, 3e-2)
NEURON_RATES = (1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class Case:
    """One fine-tuning; a rate of 0 where nothing of the kind learns."""

    study: str
    pruning: str
    way: str
    epochs: int
    seed: int
    learning_rate: float
    neuron_learning_rate: float


@cache
def bench(study: str, seed: int) -> Bench:
    """Split and parent of a seed."""
    torch.set_num_threads(1)
    prepared = prepare(study)
    seeded = prepared.study.model_copy(update={"seed": seed})
    data = load_data(seeded)
    return make_bench(seeded, data, find_parent(seeded, data))


def run(case: Case) -> tuple[Case, float, float]:
    """The case, and its validation and test accuracy."""
    held = bench(case.study, case.seed)
    torch.manual_seed(case.seed)
    shape = held.adapter.shape(held.parent)
    key, value = PRUNINGS[case.pruning]
    point: dict[str, float | str] = {
        f"blocks.{i}.{b.name}.{key}": value for i, b in shape.branches()
    }
    if case.way not in (NONE, LIF):
        for i in range(len(shape.blocks)):
            point |= {f"blocks.{i}.neuron.{what}": "channel" for what in ("threshold", "tau")}
    effort = Effort(time_steps=held.adapter.time_steps(held.parent), learning_rate=1.0, epochs=1)
    plan = make_plan(point, shape, effort)
    model = compress(held.parent, plan, held.adapter)
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
        thinned = targets(model, plan, held.adapter)
        with l1p.held_at_zero([matrix for target in thinned for matrix in target.matrices]):
            train(model, held.data.train, recipe, case.seed)
    size, number = held.batch_norm_batch_size, held.batch_norm_batches
    batch_norm.reestimate(model, batches(held.data.train, size, number, case.seed))
    parts = (held.data.validation, held.data.test)
    validation, test = (correct(model, part) / len(part) for part in parts)
    return case, validation, test


def rates(way: str) -> list[tuple[float, float]]:
    """The learning rates of weights and intrinsic parameters that a way chooses from."""
    weights = WEIGHT_RATES if way in (LIF, "synergistic") else (0.0,)
    neurons = NEURON_RATES if way in ("intrinsic only", "synergistic") else (0.0,)
    return list(itertools.product(weights, neurons))


def carried_out(
    pool: multiprocessing.pool.Pool, cases: list[Case], what: str
) -> Iterable[tuple[Case, float, float]]:
    """The results of all cases, with a line now and then."""
    for done, result in enumerate(pool.imap_unordered(run, cases), start=1):
        if done % max(1, len(cases) // 10) == 0:
            print(f"{what}: {done} of {len(cases)}", flush=True)
        yield result


def chosen_rates(
    pool: multiprocessing.pool.Pool, study: str, epochs: list[int], seeds: tuple[int, ...]
) -> dict[tuple[str, str, int], tuple[float, float]]:
    """By pruning, way and epochs: the rates of best mean validation accuracy on tuning seeds."""
    cases = [
        Case(study, pruning, way, count, seed, *rate)
        for pruning, way, count, seed in itertools.product(
            PRUNINGS, (LIF, "intrinsic only", "synergistic"), epochs, seeds
        )
        for rate in rates(way)
    ]
    scores: dict[tuple[str, str, int], dict[tuple[float, float], float]] = defaultdict(dict)
    for case, validation, _ in carried_out(pool, cases, "choosing rates"):
        found = scores[case.pruning, case.way, case.epochs]
        rate = (case.learning_rate, case.neuron_learning_rate)
        found[rate] = found.get(rate, 0.0) + validation
    # Of equal means the smaller rates are taken: the result depends on no order of finishing.
    best = {key: max(sorted(found), key=found.__getitem__) for key, found in scores.items()}
    for pruning, count in itertools.product(PRUNINGS, epochs):
        best[pruning, "synaptic only", count] = best[pruning, LIF, count]
    return best


def interval(differences: list[float]) -> str:
    """Mean of paired differences in points, with its 95 % interval."""
    mean = 100 * statistics.mean(differences)
    if len(differences) < 2:
        return f"{mean:+5.1f}"
    half = student.ppf(0.975, len(differences) - 1) * statistics.stdev(differences)
    half *= 100 / math.sqrt(len(differences))
    return f"{mean:+5.1f} [{mean - half:+5.1f} {mean + half:+5.1f}]"


def print_table(table: pd.DataFrame) -> None:
    """Test accuracy per pruning, epochs and way, and what it gains over LIF."""
    print(
        "\npruning    epochs  way              test %: mean (min to max)   gain over LIF [95 %]"
        "    rates"
    )
    for (pruning, epochs), part in table.groupby(["pruning", "epochs"], sort=False):
        peer = part[part.way == LIF].set_index("seed").test
        for way, rows in part.groupby("way", sort=False):
            test = rows.set_index("seed").test
            spread = f"{100 * test.mean():5.1f} ({100 * test.min():.1f} to {100 * test.max():.1f})"
            gain = interval(list(test - peer)) if len(peer) and way != LIF else ""
            used = f"{rows.learning_rate.iloc[0]:g} / {rows.neuron_learning_rate.iloc[0]:g}"
            print(f"{pruning:10} {epochs:6}  {way:15}  {spread:26}  {gain:22}  {used}")


def draw(table: pd.DataFrame, file: Path) -> None:
    """Every run as a point and the mean as a bar, by pruning; one panel per number of epochs."""
    epochs = sorted(count for count in table.epochs.unique() if count)
    figure = Figure(figsize=(9.0, 4.2), dpi=150, layout="constrained")
    panels = figure.subplots(1, len(epochs), sharey=True, squeeze=False)[0]
    colours = dict(
        zip((NONE, *WAYS), ("#9a9a9a", "#000000", "#56b4e9", "#e69f00", "#d55e00"), strict=True)
    )
    for axes, count in zip(panels, epochs, strict=True):
        for place, pruning in enumerate(PRUNINGS):
            for step, (way, colour) in enumerate(colours.items()):
                mine = table[(table.pruning == pruning) & (table.way == way)]
                mine = mine[mine.epochs == (0 if way == NONE else count)]
                x = place + (step - 2) * 0.15
                label = way if place == 0 else None
                axes.plot([x] * len(mine), 100 * mine.test, "o", ms=3.5, color=colour, label=label)
                axes.hlines(100 * mine.test.mean(), x - 0.06, x + 0.06, color=colour, lw=2)
        axes.set_xticks(range(len(PRUNINGS)), list(PRUNINGS))
        axes.set_title(f"{count} epochs of fine-tuning")
        axes.grid(axis="y", color="#dddddd", lw=0.5)
    panels[0].set_ylabel("test accuracy [%], bars: mean over seeds")
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False
    )
    figure.savefig(file)


def main() -> None:
    """Choose rates, run every seed, print, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--epochs", type=int, nargs="+", default=[2, 6])
    parser.add_argument("--tuning-seeds", type=int, nargs="+", default=list(TUNING_SEEDS))
    arguments = parser.parse_args()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        seeds = tuple(arguments.tuning_seeds)
        best = chosen_rates(pool, arguments.study, arguments.epochs, seeds)
        cases = [
            Case(arguments.study, pruning, way, count, seed, *best[pruning, way, count])
            for pruning, way, count, seed in itertools.product(
                PRUNINGS, WAYS, arguments.epochs, range(arguments.seeds)
            )
        ]
        cases += [
            Case(arguments.study, pruning, NONE, 0, seed, 0.0, 0.0)
            for pruning, seed in itertools.product(PRUNINGS, range(arguments.seeds))
        ]
        results = dict((case, scores) for case, *scores in carried_out(pool, cases, "measuring"))
    table = pd.DataFrame(
        [(*astuple(case), *results[case]) for case in cases],
        columns=[*(field.name for field in fields(Case)), "validation", "test"],
    ).drop(columns="study")
    print_table(table)
    arguments.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.out / "compensation.csv", index=False)
    draw(table, arguments.out / "compensation.png")
    print(f"\nwritten: {arguments.out / 'compensation.csv'}, {arguments.out / 'compensation.png'}")


if __name__ == "__main__":
    main()
