"""What a machine leaves to a host, at the prices that its file has for one.

    E = sum over what the host does of dense MACs * price of a MAC

The price is that of the fewest bits that hold both operands: a real number has 32, a weight those
of the machine, spikes as many as their largest count needs. What has no MAC, such as updates of
neurons and sums of spikes, has no price on a host.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoprune.cost.machine import Machine
from autoprune.cost.ops import Ops
from autoprune.cost.price import Price
from autoprune.errors import InputError
from autoprune.workload.columns import Column

REASONS = {
    "real_input": "real-valued input",
    "dynamic_product": "product of activations",
    "integer_spike": "input that is not 0 or 1",
    "real_times_spike": "product of real numbers with spikes",
}
"""The capabilities whose work a host can do, and why it is the host's."""

REAL_BITS = 32
"""Bits of a real activation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWork:
    """What a host does of many workloads, one value per operation.

    Attributes:
        macs: dense MACs per inference; 0 of what the machine does.
        place: which of the machine's host prices they are at; -1 where none is of enough bits.
        energy_pj: per inference; 0 where there is no price.
    """

    macs: Column
    place: Column
    energy_pj: Column

    @property
    def unpriced(self) -> Column:
        """Which operations have MACs and no price."""
        return (self.macs > 0) & (self.place < 0)


def host_work(machine: Machine, ops: Ops, hosted: Column) -> HostWork:
    """The work of a host: the operations where `hosted` is true."""
    macs = np.where(hosted, ops.dense_macs, 0.0)
    held = np.where(ops.static, ops.b_bits.clip(max=machine.weight_bits), ops.b_bits)
    needed = np.maximum(ops.a_bits, held)
    widths = np.array([bits for bits, _ in machine.host], dtype=np.float64)
    place = np.searchsorted(widths, needed)
    found = place < len(widths)
    values = np.array([*(price.value for _, price in machine.host), 0.0])
    return HostWork(
        macs=macs,
        place=np.where(found, place, -1),
        energy_pj=macs * values[np.where(found, place, -1)],
    )


def check_host(machine: Machine) -> None:
    """InputError unless a machine prices whatever it leaves to a host."""
    words = machine.capabilities.model_dump()
    left = [name for name in REASONS if words[name] == "host"]
    widest = max((bits for bits, _ in machine.host), default=0)
    if left and not widest:
        raise InputError(
            f"{machine.where}: [host]",
            f"no price, though {', '.join(left)} are left to a host and the study asks for its "
            "energy (price_host)",
            "a price per MAC, such as mac_32 in pJ, with its source",
        )
    if "real_input" in left and widest < REAL_BITS:
        raise InputError(
            f"{machine.where}: [host]",
            f"MACs of at most {widest} bits, though real_input is left to a host and the study "
            "asks for its energy (price_host)",
            f"a price of MACs of {REAL_BITS} bits, mac_{REAL_BITS}",
        )


def host_price(machine: Machine, name: str) -> Price | None:
    """The host's price of that name, if there is one."""
    return next((price for _, price in machine.host if price.name == name), None)
