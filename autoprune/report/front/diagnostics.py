"""What helps to read an energy: energy-delay product, spikes per synapse, the ANN twin."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from autoprune.cost.cost import Cost
from autoprune.cost.model import CostModel
from autoprune.cost.twin import ann_twin, spikes_per_synapse, twin_bits
from autoprune.workload.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """Figures beside the energy of a workload on a machine.

    Attributes:
        latency_us, edp_uj_ms: latency, and energy times latency; None where none is defined.
        host_share: share of the network's dense MACs that a host does, outside the energy, 0 to 1.
        spikes_per_synapse: per inference; see `autoprune.cost.twin`.
        twin_bits: bits of the activations of the equal-bit ANN twin.
        twin_energy_uj: its energy on the same machine; None where a host would have to run it, the
            machine cannot, or charges an operation the same whatever the bits of its activations.
        twin_ratio: energy of the spiking network by that of the twin.
    """

    latency_us: float | None
    edp_uj_ms: float | None
    host_share: float
    spikes_per_synapse: float
    twin_bits: int
    twin_energy_uj: float | None
    twin_ratio: float | None


def diagnose(model: CostModel, workload: Workload, cost: Cost) -> Diagnostics:
    """The figures of a workload whose cost on the machine is known."""
    bits = twin_bits(workload.time_steps)
    twin, wider = (model.price(ann_twin(workload, of)) for of in (bits, 2 * bits))
    hosted = any(host.dense_macs for host in twin.host)
    # Where an operation costs the same with twice the bits, its price is of other numbers.
    costs, dearer = twin.by_op(), wider.by_op()
    pixels = {op.name for op in workload.ops if op.a.kind == "real"}
    told = all(costs[name] < dearer[name] for name in costs.keys() - pixels)
    energy = twin.energy_uj if told and not hosted else None
    ratio = cost.energy_uj / energy if energy and cost.energy_uj is not None else None
    return Diagnostics(
        latency_us=cost.latency_us,
        edp_uj_ms=cost.edp_uj_ms,
        host_share=math.fsum(host.share for host in cost.host),
        spikes_per_synapse=spikes_per_synapse(workload),
        twin_bits=bits,
        twin_energy_uj=energy,
        twin_ratio=ratio,
    )


def diagnostic_lines(found: Diagnostics) -> Iterator[str]:
    """The figures in words."""
    if found.edp_uj_ms is not None:
        yield f"energy-delay product {found.edp_uj_ms:.4g} µJ ms"
    if found.host_share:
        yield f"{100 * found.host_share:.2f} % of the dense MACs are a host's, outside the energy"
    yield (
        f"spikes per synapse and inference {found.spikes_per_synapse:.3g}; a spiking network "
        "competes below some 0.15 to 1.72"
    )
    twin = f"ANN twin of {found.twin_bits} bits, run once:"
    if found.twin_energy_uj is None:
        yield f"{twin} the machine does not run it, or has no prices by bits of activations"
    elif found.twin_ratio is None:
        yield f"{twin} {found.twin_energy_uj:.4g} µJ"
    else:
        ratio = f"the spiking network needs {found.twin_ratio:.3g} times as much"
        yield f"{twin} {found.twin_energy_uj:.4g} µJ, {ratio}"
