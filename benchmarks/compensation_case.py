"""One fine-tuning after pruning, as `compensation.py` compares them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch

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
