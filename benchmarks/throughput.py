"""Trials per minute, against the script that one would write today without autoprune.

Both sides carry out the same list of L1P plans on the same trained parent, with the same epochs
of fine-tuning, evaluation of validation data, and operation counts on the same samples; two workers
of one thread each, one Ray. The peer is Ray Tune's OptunaSearch with default settings,
torch.nn.utils.prune, spikingjelly's LIF and its SynOpCounter. autoprune besides re-estimates batch
norm, counts both orders of attention and checks its coverage, measures all of it again with weights
of the machines' bits, and writes weights to disk.

The sides take turns; medians over the rounds are printed, with the least and the most.

    python benchmarks/throughput.py [--study digits] [--rounds 3] [--plans 24]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune
from ray.tune.search.optuna import OptunaSearch
from spikingjelly.activation_based import functional, op_counter
from torch.nn.utils import prune

from autoprune.compress.configuration import make_plan, parse_configuration
from autoprune.compress.effort import Effort
from autoprune.runs.lock import sole_writer
from autoprune.study.parent import find_parent
from autoprune.study.parts import load_data, make_setup
from autoprune.sweep.execute import execute
from autoprune.sweep.prepare import prepare
from autoprune.sweep.workers import Workers
from autoprune.trial.job import Job
from autoprune.trial.key import TrialKey
from autoprune.trial.measurement import Measurement
from autoprune.trial.setup import Setup
from autoprune.trial.training import Recipe, correct, train


class Jobs:
    """A list of jobs in place of a search: what the sweep needs of a scheduler."""

    def __init__(self, jobs: list[Job]) -> None:
        self._ready, self._running = deque(jobs), 0
        self.results: list[Measurement] = []

    @property
    def finished(self) -> bool:
        return not self._ready and not self._running

    def next(self) -> Job | None:
        if not self._ready:
            return None
        self._running += 1
        return self._ready.popleft()

    def finish(self, key: TrialKey, result: Any) -> None:
        assert isinstance(result, Measurement), result
        self._running -= 1
        self.results.append(result)


def ours(
    setup: Setup, effort: Effort, points: list[dict[str, float]], folder: Path
) -> list[Measurement]:
    """The plans by autoprune's sweep."""
    shape = setup.adapter.shape(setup.parent)
    jobs = Jobs(
        [
            Job(
                key=TrialKey(i),
                plan=make_plan(parse_configuration(point), shape, effort),
                seed=i,
                weights=folder / f"{i}.safetensors",
            )
            for i, point in enumerate(points)
        ]
    )
    with sole_writer(folder) as hold:
        execute(jobs, setup, Workers(count=2, threads=1, cpus=1), hold)
    return jobs.results


def by_hand(config: dict[str, float], parent: Any, data: Any, recipe: Recipe, samples: int) -> None:
    """One trial as a sweep script has it."""
    start = time.perf_counter()
    torch.set_num_threads(1)
    model = parent
    pruned = []
    for i, block in enumerate(model.blocks):
        attention, mlp = (config[f"blocks.{i}.{b}.l1p"] for b in ("attention", "mlp"))
        for module, amount in (
            (block.attn.qkv_conv_bn[0], attention),
            (block.attn.proj_conv_bn[0], attention),
            (block.mlp.fc1[0], mlp),
            (block.mlp.fc2[0], mlp),
        ):
            prune.l1_unstructured(module, "weight", amount=amount)
            pruned.append(module)
    train(model, data.train, recipe, seed=0)
    for module in pruned:
        prune.remove(module, "weight")
    accuracy = correct(model, data.validation) / len(data.validation)
    counter = op_counter.SynOpCounter()
    with torch.no_grad(), op_counter.DispatchCounterMode([counter]):
        model(data.validation.inputs(slice(samples)))
    functional.reset_net(model)
    synops = counter.get_total() / samples
    busy = time.perf_counter() - start
    tune.report({"accuracy": accuracy, "synops": synops, "busy": busy})


def peer(setup: Setup, points: list[dict[str, float]], folder: Path) -> list[float]:
    """The plans by the script; returns how long each trial worked."""
    space = {name: tune.uniform(0.0, 0.95) for name in points[0]}
    search = OptunaSearch(
        space, metric=["accuracy", "synops"], mode=["max", "min"], points_to_evaluate=points
    )
    trainable = tune.with_parameters(
        by_hand,
        parent=setup.parent,
        data=setup.data,
        recipe=setup.recipe,
        samples=setup.census_samples,
    )
    grid = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        tune_config=tune.TuneConfig(
            search_alg=search, num_samples=len(points), max_concurrent_trials=2
        ),
        run_config=tune.RunConfig(name="peer", storage_path=str(folder), verbose=0),
    ).fit()
    assert not grid.errors, grid.errors
    return [result.metrics["busy"] for result in grid]


def spread(values: list[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Take turns, then print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="digits")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plans", type=int, default=24)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    built = prepare(arguments.study).built
    data = load_data(built.parts)
    parent = find_parent(built.parts, data)
    setup = make_setup(built.parts, data, parent, built.weight_bits)
    names = [f"{place}.l1p" for place, _ in built.shape.branches()]
    random = torch.Generator().manual_seed(0)
    sparsities = 0.95 * torch.rand(arguments.plans, len(names), generator=random)
    points = [dict(zip(names, row.tolist(), strict=True)) for row in sparsities]
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        object_store_memory=200 * 2**20,
    )
    per_minute: dict[str, list[float]] = {"autoprune": [], "script": []}
    busy: dict[str, list[float]] = {"autoprune": [], "script": []}
    parts: dict[str, list[float]] = {"training": [], "evaluation": [], "census": [], "other": []}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as scratch:
            start = time.perf_counter()
            measurements = ours(setup, built.effort, points, Path(scratch))
            wall = time.perf_counter() - start
            for name, values in parts.items():
                values.extend(getattr(m.seconds, name) for m in measurements)
            worked = sum(sum(getattr(m.seconds, name) for name in parts) for m in measurements)
            per_minute["autoprune"].append(60 * len(points) / wall)
            busy["autoprune"].append(worked / wall / 2)
            start = time.perf_counter()
            worked = sum(peer(setup, points, Path(scratch)))
            wall = time.perf_counter() - start
            per_minute["script"].append(60 * len(points) / wall)
            busy["script"].append(worked / wall / 2)
    print(
        f"{len(points)} plans, {setup.recipe.epochs} epochs, {arguments.rounds} rounds, 2 workers"
    )
    for side in per_minute:
        print(
            f"{side:10} trials per minute {spread(per_minute[side])}, "
            f"workers busy {100 * statistics.median(busy[side]):.0f} %"
        )
    ratios = [a / b for a, b in zip(per_minute["autoprune"], per_minute["script"], strict=True)]
    print(f"ratio {spread(ratios)}")
    total = sum(statistics.median(values) for values in parts.values())
    for name, values in parts.items():
        share = 100 * statistics.median(values) / total
        print(f"  {name:10} {spread(values)} s per trial, {share:.1f} %")
    ray.shutdown()


if __name__ == "__main__":
    main()
