"""A trial: plan -> Measurement.

Compress, fine-tune, re-estimate batch norm, round; evaluate and count at the bits of every machine.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import torch
from spikingjelly.activation_based import functional
from torch import nn

from autoprune.census.count import count
from autoprune.compress import batch_norm, l1p
from autoprune.compress.criteria import Criterion
from autoprune.compress.network import Ranking, matrices, reshape, targets
from autoprune.compress.rounding import round_weights, rounded
from autoprune.data.dataset import Dataset, Split
from autoprune.measurement import Measurement, Precision, Score, Seconds
from autoprune.models.adapter import ModelAdapter
from autoprune.plan import Plan
from autoprune.shape import NetworkShape
from autoprune.training import Recipe, batches, correct, train


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all trials of a study share; a worker holds it for as long as it lives.

    Attributes:
        parent, adapter, data: the trained network, its family, the samples.
        recipe: of fine-tuning; learning rate and epochs come from the plan.
        dsp_score: the criterion of `autoprune.compress.criteria`.
        l1p_schedule: whether L1P is done before fine-tuning, or ``gradual`` while it runs.
        device: where trials compute.
        train: trains a network in place, called as `autoprune.training.train`.
        evaluate: a score from 0 to 1 of a network on a split; None counts correct samples.
        batch_norm_batches, batch_norm_batch_size, census_samples: as in the study.
        weight_bits: bits of a weight that accuracy is asked at, besides those of the plan.
    """

    parent: nn.Module
    adapter: ModelAdapter
    data: Dataset
    recipe: Recipe
    dsp_score: Criterion
    l1p_schedule: Literal["one_shot", "gradual"] = "one_shot"
    device: str = "cpu"
    train: Callable[..., None] = train
    evaluate: Callable[[nn.Module, Split], float] | None = None
    batch_norm_batches: int
    batch_norm_batch_size: int
    census_samples: int
    weight_bits: tuple[int, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what may be the user's with the folders in which its modules are found.

        A user's module may lie beside the study; the process that unpickles has to find it before
        it meets a class of it.
        """
        rest = {f.name: getattr(self, f.name) for f in fields(self)}
        names = ("parent", "adapter", "train", "evaluate")
        user = pickle.dumps({name: rest.pop(name) for name in names})
        return _unpickle, (tuple(sys.path), user, rest)


def _unpickle(folders: tuple[str, ...], user: bytes, rest: dict[str, Any]) -> Bench:
    sys.path += [folder for folder in folders if folder not in sys.path]
    return Bench(**pickle.loads(user), **rest)


class Clock:
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

    A plan without epochs is neither fine-tuned nor, where it is neutral, re-estimated. The network
    has weights of the plan's bits; for a machine of fewer they are rounded only while it is
    measured.
    """
    clock = Clock()
    torch.manual_seed(seed)
    calibration = bench.data.train.inputs(slice(bench.census_samples)).to(bench.device)
    ranking = Ranking(criterion=bench.dsp_score, calibration=calibration)
    model = reshape(bench.parent, plan, bench.adapter, ranking)
    thinned = targets(model, plan, bench.adapter)
    shape = bench.adapter.shape(bench.parent)
    effort = plan.effort
    with clock.on("training"):
        _compensate(bench, model, plan, thinned, seed)
        if effort.epochs or not _is_parent(plan, shape):
            size, number = bench.batch_norm_batch_size, bench.batch_norm_batches
            batch_norm.reestimate(model, batches(bench.data.train, size, number, seed))
    round_weights(model, effort.weight_bits)
    fewer = {bits for bits in bench.weight_bits if bits < effort.weight_bits}
    precisions = measure(bench, model, [effort.weight_bits, *sorted(fewer, reverse=True)], clock)
    held = matrices(model, bench.adapter)
    kept = sum(int(torch.count_nonzero(matrix.weight)) for matrix in held)
    measurement = Measurement(
        plan=plan,
        seed=seed,
        precisions=precisions,
        parameters=sum(int(torch.count_nonzero(p)) for p in model.parameters()),
        kept_weights=kept / shape.block_weights,
        seconds=clock.seconds(),
    )
    return measurement, model


def measure(
    bench: Bench, model: nn.Module, bits: Sequence[int], clock: Clock | None = None
) -> tuple[Precision, ...]:
    """Scores and operations of a network as it is, then with its weights rounded; it stays.

    Args:
        bench: what to measure on.
        model: on the bench's device.
        bits: those that its weights have, then those to round them to.
        clock: is told where the time went.
    """
    clock = clock or Clock()
    data, found = bench.data, []
    samples = data.validation.inputs(slice(bench.census_samples)).to(bench.device)
    for place, size in enumerate(bits):
        with rounded(model, size) if place else nullcontext():
            with clock.on("evaluation"):
                scores = [score(bench, model, part) for part in (data.validation, data.test)]
            with clock.on("census"):
                work = count(model, bench.adapter, samples, weight_bits=size)
        found.append(Precision(bits=size, validation=scores[0], test=scores[1], workload=work))
    return tuple(found)


def score(bench: Bench, model: nn.Module, part: Split) -> Score:
    """Accuracy, or the study's own score under its name.

    Raises ValueError where that is no number from 0 to 1.
    """
    if bench.evaluate is None:
        return Score(correct=correct(model, part), total=len(part))
    name = bench.evaluate.__name__
    functional.reset_net(model)
    with torch.inference_mode():
        value = float(bench.evaluate(model.eval(), part))
    functional.reset_net(model)
    if not 0 <= value <= 1:
        raise ValueError(f"{name} gave {value!r}; expected a score from 0 to 1")
    return Score(correct=value * len(part), total=len(part), name=name)


def _is_parent(plan: Plan, shape: NetworkShape) -> bool:
    """Whether a plan without epochs leaves every weight and neuron of the parent."""
    untouched = plan.kept_weights(shape) == shape.block_weights and not plan.outside
    return untouched and all(block.neuron.is_lif for block in plan.blocks)


def _compensate(
    bench: Bench, model: nn.Module, plan: Plan, thinned: list[l1p.Target], seed: int
) -> None:
    """L1P and fine-tuning, one after the other or together."""
    effort = plan.effort
    together = bench.l1p_schedule == "gradual" and effort.epochs > 0
    if not together:
        for target in thinned:
            l1p.zero_smallest(target)
    if not effort.epochs:
        return
    recipe = replace(bench.recipe, epochs=effort.epochs, learning_rate=effort.learning_rate)
    if together:
        with l1p.gradually(thinned) as thin:
            bench.train(model, bench.data.train, recipe, seed, after_step=thin)
    else:
        held = [matrix for target in thinned for matrix in target.matrices]
        with l1p.held_at_zero(held):
            bench.train(model, bench.data.train, recipe, seed)
