"""compress: a copy of the parent on which a whole plan was carried out."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.compress.plan import Plan
from autoprune.compress.registry import told
from autoprune.compress.setting import Value
from autoprune.compress.surgery.surgery import AfterStep, Subject
from autoprune.errors import CompressionError
from autoprune.networks.adapter import ModelAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How methods choose.

    Attributes:
        options: what a study tells methods.
        samples: inputs [samples, ...] to count spikes, and neurons, on.
        seed: of what a method draws.
    """

    options: Mapping[str, Value] = field(default_factory=dict)
    samples: Tensor | None = None
    seed: int = 0


def compress(
    parent: nn.Module, plan: Plan, adapter: ModelAdapter, manner: Manner | None = None
) -> nn.Module:
    """Every method's surgery up to fine-tuning on a copy of `parent`; the parent stays as it is.

    Without a manner the methods choose as they do by default; without samples every rate of
    firing counts as 1.

    Of a neutral plan the result equals the parent bit for bit. Batch norm is not re-estimated
    and nothing is trained here.

    Raises CompressionError where the plan does not fit the network.
    """
    model = reshape(parent, plan, adapter, manner)
    thin(subject_of(model, adapter, manner), plan)
    return model


def subject_of(
    model: nn.Module, adapter: ModelAdapter, manner: Manner | None = None, *, trains: bool = False
) -> Subject:
    """A network as surgery sees it."""
    manner = manner or Manner()
    return Subject(
        network=model,
        adapter=adapter,
        options=told(manner.options),
        samples=manner.samples,
        trains=trains,
        seed=manner.seed,
    )


def reshape(
    parent: nn.Module, plan: Plan, adapter: ModelAdapter, manner: Manner | None = None
) -> nn.Module:
    """A copy of `parent` in the form that it has after a plan, before any weight is zero."""
    for part in plan.unknown:
        raise CompressionError(
            f"a plan with {part.method!r}, which no method here is called; the study that made it "
            "names its methods in [compression]"
        )
    functional.reset_net(parent)
    model = copy.deepcopy(parent)
    blocks = len(adapter.branches(model))
    if blocks != plan.blocks:
        raise CompressionError(f"a plan of {plan.blocks} blocks for {blocks} blocks")
    subject = subject_of(model, adapter, manner)
    parts = list(plan.stages())
    for method, part in parts:
        if method.stage == "dimensions":
            method.surgery().reshape(subject, part)
    for branch in (branch for branches in adapter.branches(model) for branch in branches):
        branch.read_local_sizes()
    for method, part in parts:
        if method.stage != "dimensions":
            method.surgery().reshape(subject, part)
    adapter.set_time_steps(model, plan.effort.time_steps)
    functional.invalidate_reset_cache(model)
    return model


def thin(subject: Subject, plan: Plan) -> None:
    """Set weights to zero on a reshaped network, where that is not done while it trains."""
    for method, part in plan.stages():
        method.surgery().thin(subject, part)


@contextmanager
def training(subject: Subject, plan: Plan) -> Iterator[AfterStep | None]:
    """While this lasts, what methods hold is held; gives what to call after a step, or None."""
    with ExitStack() as stack:
        steps = [
            step
            for method, part in plan.stages()
            if (step := stack.enter_context(method.surgery().training(subject, part))) is not None
        ]

        def after_step(done: float) -> None:
            for step in steps:
                step(done)

        yield after_step if steps else None


def finish(subject: Subject, plan: Plan) -> None:
    """What methods change after fine-tuning."""
    for method, part in plan.stages():
        method.surgery().finish(subject, part)
