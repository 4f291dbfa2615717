"""Idle machines: one that would charge nothing for any plan is refused before anything trains."""

from __future__ import annotations

from collections.abc import Mapping

from autoprune.cost.division import left_to_host
from autoprune.cost.model import CostModel
from autoprune.cost.ops import Ops
from autoprune.errors import InputError
from autoprune.workload.workload import Workload


def refuse_idle(workload: Workload, machines: Mapping[str, CostModel], where: str) -> None:
    """Raise InputError, under `where`, for a machine that leaves all that a network does to a host.

    A network that is silent, as an untrained one may be, leaves a machine its spikes all the same.
    """
    for name, model in machines.items():
        ops = Ops.of([workload]).select(model.order)
        if left_to_host(model, ops).all():
            spiking = any(op.neurons.count for op in workload.ops)
            raise InputError(
                where,
                f"{name} charges nothing for {workload.network}: all of its {len(ops)} operations "
                "are a host's" + ("" if spiking else "; no spiking neuron was found in it"),
                "a network whose layers read spikes, or a machine that does them itself",
            )
