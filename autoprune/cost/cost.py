"""Cost: what one inference of a workload costs on one machine, every joule traceable."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from autoprune.cost.limits import Misfit
from autoprune.cost.price import Price
from autoprune.errors import AutopruneError, InputError

STATIC: Final = "static power"
"""The cause of what chips take while an inference runs, whatever they do."""


KIB: Final = 8192
"""Bits of a KiB."""


HOST: Final = "host"
"""The cause of what a host takes, where a study asks for its energy."""


class UnknownCost(AutopruneError):
    """A machine cannot say what a workload costs: no price, no time, or a rule that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One summand of the energy: `count` actions of one operation at one price.

    Attributes:
        cause: what the energy is spent on, such as ``synaptic operations``.
        op: the operation of the workload.
        price: name of the price.
        count: mean number of actions per inference; of a power, nanoseconds at it.
        energy_pj: energy per inference, the count times the price.
        rule: what is counted, in words.
    """

    cause: str
    op: str
    price: str
    count: float
    energy_pj: float
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOperation:
    """Work that the machine leaves to a host; outside the total unless that is asked for.

    Attributes:
        name: operation and reason.
        dense_macs: dense MACs per inference.
        share: its share of all dense MACs of the network.
        energy_pj: that it takes at the machine's price of a host; None where there is none.
        counted: whether that is in the total.
    """

    name: str
    dense_macs: float
    share: float
    energy_pj: float | None = None
    counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpriced:
    """An action that happens and has no price; makes the total unknown."""

    action: str
    count: float


NO_PRICE: Final = Unpriced(action="no published price", count=1)
"""What lacks of a chip whose energies nobody published: everything it does."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cost:
    """Energy, and where the machine defines them latency, cycles and chips, of one inference.

    Attributes:
        machine: the machine's name.
        terms: the energy by cause and operation.
        latency_us: time of one inference, None where the machine defines none.
        cycles: clock cycles of one inference, None where the machine defines none.
        chips, cores: that are needed, None where the machine defines none.
        area_mm2: silicon, None where the machine defines none.
        static_power_mw: of the chips that are needed; times the latency it is part of the energy.
        host: work that a host does.
        host_share: share of the network's dense MACs that a host does, 0 to 1.
        weights: bits of the weights that the machine holds, by the smallest format of each layer,
            with indices.
        state_bits: of the membranes that it holds.
        emulated: rules by which the machine stands in for what it cannot do itself.
        unpriced: actions without a price.
        misfits: limits of the machine that the network exceeds; None where its file has none.
    """

    machine: str
    terms: tuple[Term, ...]
    latency_us: float | None = None
    cycles: float | None = None
    chips: int | None = None
    cores: int | None = None
    area_mm2: float | None = None
    static_power_mw: float | None = None
    host: tuple[HostOperation, ...] = ()
    host_share: float = 0.0
    weights: tuple[tuple[str, float], ...] = ()
    state_bits: float = 0.0
    emulated: tuple[str, ...] = ()
    unpriced: tuple[Unpriced, ...] = ()
    misfits: tuple[Misfit, ...] | None = None

    def __repr__(self) -> str:
        """In a line: the machine and the energy."""
        energy = "unknown" if self.energy_uj is None else f"{self.energy_uj:.4g} µJ"
        return f"<cost on {self.machine}: {energy} per inference, {len(self.terms)} terms>"

    def __post_init__(self) -> None:
        for term in self.terms:
            if not math.isfinite(term.energy_pj) or term.energy_pj < 0:
                raise InputError(
                    f"cost on {self.machine}", f"{term.cause} of {term.op} is {term.energy_pj} pJ"
                )

    @property
    def energy_pj(self) -> float:
        """Sum of all terms in picojoules, exactly rounded, so that their order does not matter."""
        return math.fsum(term.energy_pj for term in self.terms)

    @property
    def dynamic_pj(self) -> float:
        """The energy less what static power takes while the inference runs, in picojoules."""
        return math.fsum(term.energy_pj for term in self.terms if term.cause != STATIC)

    @property
    def energy_uj(self) -> float | None:
        """Energy of one inference in microjoules; None while an action is unpriced."""
        return None if self.unpriced else self.energy_pj * 1e-6

    def least_uj(self, prices: Iterable[Price]) -> float | None:
        """The energy where prices that are ranges are at their lower ends.

        None where none of the machine's `prices` is a range, or an action is unpriced.
        """
        ends = {price.name: price.least for price in prices if price.least is not None}
        if not ends or self.unpriced:
            return None
        parts = (t.count * ends[t.price] if t.price in ends else t.energy_pj for t in self.terms)
        return math.fsum(parts) * 1e-6

    @property
    def memory_kib(self) -> float | None:
        """Weights and membranes that the machine holds; None while an operation is unpriced."""
        bits = math.fsum([*(bits for _, bits in self.weights), self.state_bits])
        return None if {*self.unpriced} - {NO_PRICE} else bits / KIB

    @property
    def edp_uj_ms(self) -> float | None:
        """Energy-delay product in microjoules times milliseconds; None without either."""
        if self.energy_uj is None or self.latency_us is None:
            return None
        return self.energy_uj * self.latency_us * 1e-3

    def by_cause(self) -> dict[str, float]:
        """Energy in picojoules by cause, largest first."""
        return self._grouped("cause")

    def by_op(self) -> dict[str, float]:
        """Energy in picojoules by operation, largest first."""
        return self._grouped("op")

    def _grouped(self, key: str) -> dict[str, float]:
        sums: dict[str, float] = {}
        for term in self.terms:
            sums[getattr(term, key)] = sums.get(getattr(term, key), 0.0) + term.energy_pj
        return dict(sorted(sums.items(), key=lambda item: -item[1]))
