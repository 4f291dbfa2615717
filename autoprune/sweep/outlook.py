"""Outlook: what a run of a study will do, known before anything trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from autoprune.compress.bits import FULL_BITS
from autoprune.compress.uniform import uniform_sweep
from autoprune.cost.machine import Machine
from autoprune.cost.price import Price, Quantity
from autoprune.networks.granularity import Differing, Granularity
from autoprune.study.build import Built
from autoprune.study.recipe import leaves_out, recipe_task
from autoprune.trial.channels import Channels
from autoprune.workload.workload import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOutlook:
    """A machine of a study.

    Attributes:
        name, family, weight_bits: of it. sources: where its numbers are from.
        unknown: what the space asks of its neurons that nobody published whether they hold.
    """

    name: str
    family: str
    weight_bits: int
    sources: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a run will do.

    Attributes:
        title, objectives, trials, sampler, workers: as in the study.
        data, network: what it is of.
        parameters: of the search space, and the values of each.
        machines: of the study, in its order.
        uniform: trials of the uniform sweep.
        configurations: of the space, before equal plans are told apart.
        epochs: of fine-tuning, per trial.
        recipe: trainings that choose learning rates, at least; 0 where the study has them.
        weight_bits: at which networks are measured, descending. integers: the machines in whose
            integers they are measured, too.
        channels: what is known of neurons that learn per channel; None where none does.
        found: neurons of no known class.
    """

    title: str
    data: str
    network: str
    parameters: tuple[tuple[str, tuple[str, ...]], ...]
    machines: tuple[MachineOutlook, ...]
    objectives: tuple[str, ...]
    trials: int
    uniform: int
    sampler: str
    configurations: int
    epochs: int
    recipe: int
    workers: int
    weight_bits: tuple[int, ...]
    integers: tuple[str, ...]
    channels: Channels | None
    found: tuple[Found, ...]


def outlook(built: Built) -> Outlook:
    """What a run of a study will do."""
    space, shape = built.space, built.shape
    return Outlook(
        title=built.title,
        data=str(built.parts.data.about),
        network=built.parts.network.model,
        parameters=tuple(
            (str(parameter), tuple(map(str, domain.all)))
            for parameter, domain in space.parameters(shape).items()
        ),
        machines=tuple(
            _machine(name, model.machine, space.granularities)
            for name, model in built.machines.items()
        ),
        objectives=built.objectives,
        trials=built.trials,
        uniform=len(uniform_sweep(space, shape, built.effort)),
        sampler=built.search.sampler,
        configurations=built.configurations,
        epochs=built.effort.epochs,
        recipe=recipe_task(built).least_trainings if leaves_out(built) else 0,
        workers=built.parts.compute.workers,
        weight_bits=tuple(sorted({FULL_BITS, *built.weight_bits}, reverse=True)),
        integers=tuple(n for n, m in built.machines.items() if m.machine.arithmetic is not None),
        channels=built.channels,
        found=built.found,
    )


def _machine(name: str, machine: Machine, asked: Mapping[Differing, Granularity]) -> MachineOutlook:
    numbers: tuple[Price | Quantity, ...] = (*machine.prices, *machine.parameters)
    return MachineOutlook(
        name=name,
        family=machine.family,
        weight_bits=machine.weight_bits,
        sources=tuple(sorted({number.source for number in numbers})),
        unknown=tuple(machine.neurons.unknown(asked)),
    )
