"""Built: a study with all that it names, found and tried before anything trains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from autoprune.compress.arithmetic import Arithmetic
from autoprune.compress.configuration import make_plan
from autoprune.compress.domain import Domain
from autoprune.compress.effort import Effort
from autoprune.compress.parameter import Parameter
from autoprune.compress.registry import named
from autoprune.compress.space import SearchSpace
from autoprune.compress.surgery.apply import Manner
from autoprune.compress.uniform import uniform_sweep
from autoprune.cost.model import CostModel
from autoprune.data.dataset import About
from autoprune.errors import CompressionError, CountingError, InputError
from autoprune.networks.shape import NetworkShape
from autoprune.runs.budget import Budget
from autoprune.runs.record import Identity
from autoprune.search.spec import SearchSpec
from autoprune.study.check import Checked
from autoprune.study.identity import identity, measured_arithmetics, measured_bits
from autoprune.study.idle import refuse_idle
from autoprune.study.parent import load_published
from autoprune.study.parts import Parts, find_parts
from autoprune.trial.channels import Channels
from autoprune.trial.method_contract import refuse_broken
from autoprune.trial.own_score import try_score
from autoprune.trial.smoke_test import Tested, smoke_test, try_readings
from autoprune.trial.training import logits
from autoprune.trial.tried import Tried
from autoprune.workload.workload import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A study as everything below takes it.

    Attributes:
        title: of the study. parts: what its networks are made with.
        space: what is searched. shape: what its network offers to compression.
        channels: what is known of neurons that learn per channel; None where none does.
        found: neurons of no known class.
        effort: what a plan takes for a parameter that the space leaves out.
        machines: the cost models by name.
        objectives, trials, search, storage, track: as in the study.
        score: the name of what search maximises. budgets: bounds that a trial has to keep.
        identity: everything that decides what a trial is; see `autoprune.study.identity`.
    """

    title: str
    parts: Parts
    space: SearchSpace
    shape: NetworkShape
    channels: Channels | None
    found: tuple[Found, ...]
    effort: Effort
    machines: Mapping[str, CostModel]
    objectives: tuple[str, ...]
    score: str
    budgets: tuple[Budget, ...]
    trials: int
    search: SearchSpec
    storage: str | None
    track: tuple[Literal["tensorboard", "mlflow"], ...]
    identity: Identity

    @property
    def weight_bits(self) -> tuple[int, ...]:
        """Bits of a weight that a new run of these machines is measured at, descending."""
        return measured_bits(self.machines)

    @property
    def arithmetics(self) -> tuple[Arithmetic, ...]:
        """Integers of machines that a new run is measured in."""
        return measured_arithmetics(self.machines)

    @property
    def readings(self) -> tuple[int, ...]:
        """Time steps after which its networks are read."""
        return _readings(self.parts, self.space)

    @property
    def configurations(self) -> int:
        """The number of those in the space, before equal plans are told apart."""
        return math.prod(len(d.all) for d in self.space.parameters(self.shape).values())


def build(checked: Checked) -> Built:
    """The study with all that it names, found and tried on two samples.

    Raises InputError for anything that is wrong with its functions, its network or its space.
    """
    study, space = checked.study, checked.space
    parts, network = find_parts(study)
    tested = _tried(parts, network, space, study.effort, checked.file)
    shape = tested.shape
    refuse_idle(tested.workload, checked.machines, f"{checked.file}: machines")
    uniform_sweep(space, shape, study.effort)
    return Built(
        title=study.title,
        parts=parts,
        space=space,
        shape=shape,
        channels=tested.channels,
        found=tested.workload.found,
        effort=study.effort,
        machines=checked.machines,
        objectives=tuple(study.objectives),
        score=study.functions.score,
        budgets=checked.budgets,
        trials=study.trials,
        search=study.search,
        storage=study.storage,
        track=tuple(study.track),
        identity=identity(checked),
    )


def _readings(parts: Parts, space: SearchSpace) -> tuple[int, ...]:
    """Up to the most steps of study and space; of samples with time, which are over then, fewer."""
    if not parts.measure.anytime:
        return ()
    offered = space.model.get("time_steps")
    most = [int(steps) for steps in offered.all] if offered is not None else []
    beyond = 0 if parts.data.about.timed else 1
    return tuple(range(1, max(parts.network.time_steps, *most, 1) + beyond))


def _every_value(domains: Mapping[Parameter, Domain], shape: NetworkShape, effort: Effort) -> None:
    """InputError for a value that the space offers and a method refuses on this network."""
    for name in {(parameter.place.kind, parameter.setting): None for parameter in domains}:
        same = {p: d for p, d in domains.items() if (p.place.kind, p.setting) == name}
        for value in {value: None for domain in same.values() for value in domain.all}:
            make_plan({p: value for p, d in same.items() if value in d.all}, shape, effort)


def _tried(
    parts: Parts, network: nn.Module, space: SearchSpace, effort: Effort, file: Path
) -> Tested:
    """What the network offers and does; everything that can be wrong with it is found here."""
    adapter, about = parts.adapter, parts.data.about
    if parts.network.checkpoint is not None:
        load_published(parts.network, network)
    try:
        samples = _noise(2, about)
        tried = Tried(network=network, adapter=adapter, samples=samples)
        for name in parts.compression.methods:
            refuse_broken(named(name), tried, f"{file}: compression.methods")
        domains = space.parameters(tried.shape)
        _every_value(domains, tried.shape, effort)
        space.complete({}, tried.shape, effort)  # before anything computes
        manner = Manner(options=parts.compression.options, samples=samples)
        tested = smoke_test(network, adapter, domains, effort, manner)
        if not about.label_shape:
            logits(network, samples)
        try_readings(network, adapter, _readings(parts, space), samples)
    except (AttributeError, CompressionError, CountingError, TypeError) as error:
        raise InputError(f"{file}: network", str(error)) from error
    if parts.evaluate is not None:
        number = min(max(16, 2 * about.classes), 32)
        try_score(parts.evaluate, network, _noise(number, about), about)
    return tested


def _noise(number: int, about: About) -> Tensor:
    """So many samples as a data set might hold: numbers from 0 to 1, of frames 0 or 1."""
    samples = torch.rand(number, *about.shape, generator=torch.Generator().manual_seed(0))
    return samples.round() if len(about.shape) == 4 else samples
