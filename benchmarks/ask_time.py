"""Processor seconds per ask of every sampler, with 100, 1000 and 5000 trials in the study.

Six parameters a block (L1P and DSP of two branches, neurons of two settings), 3 objectives; trials
are random ones of an additive response with noise. Asks go to a study in memory and are told at
once; the median of several is printed. A measurement of more than `--limit` seconds is stopped.

    python benchmarks/ask_time.py [--only tpe gp] [--trials 1000] [--blocks 10] [--limit 120]
"""

from __future__ import annotations

import argparse
import csv
import signal
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from autoprune.compress.parameter import Parameter
from autoprune.search.prior import network_prior
from autoprune.search.samplers import Samplers

SAMPLERS = ("random", "qmc", "tpe", "nsga2", "nsga3", "gp", "block_response")
METRICS = ("accuracy", "energy_uj@loihi1", "energy_uj@systolic_14x12")
L1P = FloatDistribution(0, 0.95, step=0.05)
DSP = FloatDistribution(0, 1, step=0.125)
LEARNS = CategoricalDistribution(["fixed", "layer", "channel"])


def make_space(blocks: int) -> dict[str, BaseDistribution]:
    """A search space of so many blocks."""
    space: dict[str, BaseDistribution] = {}
    for block in range(blocks):
        for branch in ("attention", "mlp"):
            space[f"blocks.{block}.{branch}.l1p"] = L1P
            space[f"blocks.{block}.{branch}.dsp"] = DSP
        for neuron in ("threshold", "tau"):
            space[f"blocks.{block}.neuron.{neuron}"] = LEARNS
    return space


def random_trials(space: dict[str, BaseDistribution], count: int) -> list[optuna.trial.FrozenTrial]:
    """Trials with values that add up over branches, and noise."""
    rng = np.random.default_rng(0)
    draw = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(sampler=draw)
    trials = []
    for _ in range(count):
        params = study.ask(space).params
        sparse = [v for n, v in params.items() if n.endswith("l1p")]
        kept = [v for n, v in params.items() if n.endswith("dsp")]
        loss = 0.05 * (sum(v**3 for v in sparse) + sum((1 - v) ** 2 for v in kept))
        energy = float(np.exp(0.3 * (sum(kept) - sum(sparse))))
        values = [0.95 - loss + 0.01 * float(rng.normal()), energy, energy**0.8]
        made = optuna.trial.create_trial(params=params, distributions=space, values=values)
        trials.append(made)
    return trials


def seconds_per_ask(name: str, space: dict[str, BaseDistribution], trials: int, asks: int) -> float:
    """Median over `asks`, told at once."""
    prior = network_prior(
        map(Parameter.parse, space), METRICS, "accuracy", [0.95, 12.0, 12.0], lambda p: str(p)
    )
    samplers = Samplers(0, prior)
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    study.add_trials(random_trials(space, trials))
    spent = []
    for number in range(trials, trials + asks + 1):
        study.sampler = samplers.of(name, number)
        start = time.process_time()
        trial = study.ask(space)
        spent.append(time.process_time() - start)
        study.tell(trial, [0.9, 5.0, 5.0])
    return statistics.median(spent[1:] or spent)  # the first reads all trials


def main() -> None:
    """Print a line per sampler and number of trials, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=int, default=120, help="seconds per measurement")
    parser.add_argument("--asks", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=SAMPLERS, default=list(SAMPLERS))
    parser.add_argument("--blocks", type=int, default=4)
    parser.add_argument("--trials", nargs="+", type=int, default=[100, 1000, 5000])
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    signal.signal(signal.SIGALRM, _too_long)
    rows, space = [], make_space(arguments.blocks)
    for name in arguments.only:
        for trials in arguments.trials:
            signal.alarm(arguments.limit)
            try:
                cell = f"{1000 * seconds_per_ask(name, space, trials, arguments.asks):.1f}"
            except TimeoutError:
                cell = f"more than {arguments.limit} s in all"
            signal.alarm(0)
            head = {"sampler": name, "parameters": len(space), "trials": trials}
            rows.append({**head, "ask_ms": cell})
            print(
                f"{name:16} {len(space):4} parameters {trials:6} trials  ask {cell} ms", flush=True
            )
    with arguments.out.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _too_long(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main()
