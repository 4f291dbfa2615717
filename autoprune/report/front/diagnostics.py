"""What helps to read an energy: without static power, times delay, the host's share, synapses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autoprune.cost.cost import Cost
from autoprune.cost.limits import fit_words
from autoprune.cost.price import Price
from autoprune.workload.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """Figures beside the energy of a workload on a machine.

    Attributes:
        least_uj: the energy at the lower ends of prices that are ranges; None without such.
        dynamic_uj: the energy without what static power takes, per inference.
        latency_us, edp_uj_ms: latency, and energy times latency; None where none is defined.
        memory_kib: that weights and membranes take there; None where an action is unpriced.
        host_share: share of the network's dense MACs that a host does, 0 to 1.
        fits: ``yes``, or what is beyond the machine's limits, in words; None where its file has
            none.
        spikes_per_synapse: per inference; see `spikes_per_synapse`.
    """

    least_uj: float | None
    dynamic_uj: float
    latency_us: float | None
    edp_uj_ms: float | None
    memory_kib: float | None
    host_share: float
    spikes_per_synapse: float
    fits: str | None


def diagnose(workload: Workload, cost: Cost, prices: Sequence[Price]) -> Diagnostics:
    """The figures of a workload and what it costs on a machine of these prices."""
    return Diagnostics(
        least_uj=cost.least_uj(prices),
        dynamic_uj=cost.dynamic_pj * 1e-6,
        latency_us=cost.latency_us,
        edp_uj_ms=cost.edp_uj_ms,
        memory_kib=cost.memory_kib,
        host_share=cost.host_share,
        spikes_per_synapse=spikes_per_synapse(workload),
        fits=fit_words(cost.misfits),
    )


def spikes_per_synapse(workload: Workload) -> float:
    """How often a connection that is not 0 carries an event, per inference; 0 without connections.

    A connection is a nonzero weight at one position. Operations with static weights and spikes
    at their input count; what reads real numbers does not spike. A spiking network is competitive
    below some 0.15 to 1.72 (Dampfhoffer et al., IEEE TETCI 7(3), 2023; Davidson and Furber, Front.
    Neurosci. 15, 2021).
    """
    ops = [o for o in workload.ops if o.b.kind == "weight" and o.a.kind != "real" and o.b.size]
    connections = sum(op.b.nonzeros * op.sizes.m for op in ops)
    events = sum(op.work.effective_sops for op in ops) / workload.samples
    return events / connections if connections else 0.0


def range_words(prices: Sequence[Price]) -> str:
    """The prices that are ranges, with both ends; empty where none is."""
    ranges = (p for p in prices if p.least is not None)
    return ", ".join(f"{price.name} at {price.range} {price.unit}" for price in ranges)


def diagnostic_lines(found: Diagnostics) -> Iterator[str]:
    """The figures in words."""
    if found.edp_uj_ms is not None:
        yield f"energy-delay product {found.edp_uj_ms:.4g} µJ ms"
    if found.host_share:
        yield f"{100 * found.host_share:.2f} % of the dense MACs are a host's"
    if found.fits is not None:
        yield "fits" if found.fits == "yes" else f"does not fit: {found.fits}"
    yield (
        f"spikes per synapse and inference {found.spikes_per_synapse:.3g}; a spiking network "
        "competes below some 0.15 to 1.72"
    )
