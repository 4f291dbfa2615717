"""A trial: plan -> Measurement. Compress, fine-tune, re-estimate batch norm, evaluate, count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn

from autoprune.census.count import count
from autoprune.compress import batch_norm, l1p
from autoprune.compress.criteria import Criterion
from autoprune.compress.network import Ranking, compress, matrices
from autoprune.data.dataset import Dataset
from autoprune.measurement import Measurement, Score, Seconds
from autoprune.models.adapter import ModelAdapter
from autoprune.plan import Plan
from autoprune.training import Recipe, batches, correct, train


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all trials of a study share; a worker holds it for as long as it lives.

    Attributes:
        parent, adapter, data: the trained network, its family, the samples.
        recipe: of fine-tuning; learning rate and epochs come from the plan.
        dsp_score: the criterion of `autoprune.compress.criteria`.
        batch_norm_batches, batch_norm_batch_size, census_samples: as in the study.
    """

    parent: nn.Module
    adapter: ModelAdapter
    data: Dataset
    recipe: Recipe
    dsp_score: Criterion
    batch_norm_batches: int
    batch_norm_batch_size: int
    census_samples: int


class _Clock:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.spent = {"training": 0.0, "evaluation": 0.0, "census": 0.0}
        self.start = time.perf_counter()

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        """Add what passes in here to `what`."""
        begin = time.perf_counter()
        yield
        self.spent[what] += time.perf_counter() - begin

    def seconds(self) -> Seconds:
        """All of it; what was spent on nothing in particular is ``other``."""
        whole = time.perf_counter() - self.start
        return Seconds(**self.spent, other=whole - sum(self.spent.values()))


def run_trial(bench: Bench, plan: Plan, seed: int) -> tuple[Measurement, nn.Module]:
    """Carry out `plan` on the parent and measure the result; returns the network beside it.

    A plan without epochs is neither fine-tuned nor, where it is neutral, re-estimated.
    """
    clock = _Clock()
    torch.manual_seed(seed)
    calibration = bench.data.train.inputs[: bench.census_samples]
    ranking = Ranking(criterion=bench.dsp_score, calibration=calibration)
    model = compress(bench.parent, plan, bench.adapter, ranking)
    held = matrices(model, bench.adapter)
    shape = bench.adapter.shape(bench.parent)
    effort = plan.effort
    untouched = plan.kept_weights(shape) == shape.block_weights and not effort.epochs
    with clock.on("training"):
        if effort.epochs:
            recipe = replace(bench.recipe, epochs=effort.epochs, learning_rate=effort.learning_rate)
            with l1p.held_at_zero(model, held):
                train(model, bench.data.train, recipe, seed)
        if not untouched:
            size, number = bench.batch_norm_batch_size, bench.batch_norm_batches
            batch_norm.reestimate(model, batches(bench.data.train, size, number, seed))
    with clock.on("evaluation"):
        scores = {
            name: Score(correct=correct(model, part), total=len(part))
            for name, part in (("validation", bench.data.validation), ("test", bench.data.test))
        }
    with clock.on("census"):
        samples = bench.data.validation.inputs[: bench.census_samples]
        workload = count(model, bench.adapter, samples)
    kept = sum(int(torch.count_nonzero(matrix.weight)) for matrix in held)
    measurement = Measurement(
        plan=plan,
        seed=seed,
        **scores,
        accuracy_bits=32,
        parameters=sum(int(torch.count_nonzero(p)) for p in model.parameters()),
        kept_weights=kept / shape.block_weights,
        seconds=clock.seconds(),
        workload=workload,
    )
    return measurement, model
