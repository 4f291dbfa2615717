"""The facts of a member of a run, as they stand on record."""

from __future__ import annotations

from autoprune.cost.model import CostModel
from autoprune.deploy.manifest import Facts, OnMachine
from autoprune.deploy.member import Member
from autoprune.runs.machines import run_machines
from autoprune.trial.measurement import Measurement

SHOWN = 1024
"""Validation samples, at most, whose range is told."""


def facts(member: Member) -> Facts:
    """Where the network comes from and what was measured."""
    measurement, about = member.measurement, member.setup.data.about
    assert measurement.test is not None  # `find_member` has seen to it
    shown = member.inputs(SHOWN)
    machines = {
        model.machine.name: _on_machine(measurement, model) for model in run_machines(member.run)
    }
    return Facts(
        title=member.run.record.title,
        trial=str(member.key),
        trained_as=str(member.same_as),
        weights_trained_again=member.rebuilt,
        seed=measurement.seed,
        plan=measurement.plan.short(member.shape),
        data=str(about),
        input=_input(member),
        input_range=(float(shown.min()), float(shown.max())),
        input_samples=min(SHOWN, len(member.setup.data.validation)),
        preparation=about.preparation,
        class_names=about.class_names,
        time_steps=measurement.plan.effort.time_steps,
        validation=measurement.validation,
        test=measurement.test,
        accuracy_bits=measurement.precisions[0].bits,
        parameters=measurement.parameters,
        effective_sops_per_sample=measurement.workload.per_sample("effective_sops"),
        machines=machines,
    )


def _input(member: Member) -> tuple[int | str, ...]:
    """Shape of what the network is called with, the number of samples as ``B``."""
    one, two = (member.inputs(count).shape for count in (1, 2))
    return tuple(size if size == other else "B" for size, other in zip(one, two, strict=True))


def _on_machine(measurement: Measurement, model: CostModel) -> OnMachine:
    measured = measurement.at(*model.machine.precision)
    assert measured.test is not None
    cost = model.price(measured.workload)
    return OnMachine(
        validation=measured.validation,
        test=measured.test,
        accuracy_bits=measured.bits,
        energy_uj=cost.energy_uj,
        latency_us=cost.latency_us,
        priced_bits=model.machine.weight_bits,
    )
