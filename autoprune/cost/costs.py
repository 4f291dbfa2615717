"""Costs: what many workloads cost on one machine, and all that is known of each of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.cost import (
    HOST,
    NO_PRICE,
    STATIC,
    Cost,
    HostOperation,
    Term,
    UnknownCost,
    Unpriced,
)
from autoprune.cost.division import Division, needs
from autoprune.cost.host import REASONS, HostWork
from autoprune.cost.limits import Needs, misfits
from autoprune.cost.ops import Ops
from autoprune.cost.rule import carried_out
from autoprune.workload.columns import Column

if TYPE_CHECKING:
    from autoprune.cost.model import CostModel

STATIC_PRICE: Final = "static_power"
"""The price, in mW, that a family of chips with static power declares."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The costs of many workloads on one machine.

    Attributes:
        model: the machine. division: who does what.
        actions: what it charges. energies_pj: of each action, one value per row of `ops`.
        energy_uj: per workload; not a number where something is unpriced.
        static_pj: what of it static power takes, per workload.
        figures: see `CostModel.figures`; not a number where something is unpriced.
        unsupported: rows of all operations, by the need that nobody meets.
        host: what the host does; in the energy where the machine is asked for it.
    """

    model: CostModel
    division: Division
    actions: tuple[Action, ...]
    energies_pj: tuple[Column, ...]
    energy_uj: Column
    static_pj: Column
    figures: Mapping[str, Column]
    unsupported: Mapping[str, Column]
    host: HostWork

    @property
    def ops(self) -> Ops:
        """The operations that the machine does itself."""
        return self.division.own

    @property
    def every(self) -> Ops:
        """All operations in the machine's order."""
        return self.division.every

    def cost(self, index: int) -> Cost:
        """All that is known of one workload's cost."""
        machine = self.model.machine
        unpriced = tuple(self._unpriced(index))
        figures = {
            name: None if unpriced else float(values[index])
            for name, values in self.figures.items()
        }
        for name in ("cores", "chips"):
            value = figures.get(name)
            if value is not None:
                figures[name] = int(value)
        rows = self.ops.workload == index
        own = self.ops.take(rows)
        needed = needs(own)
        chips = figures.get("chips")
        weights = carried_out(self.model, lambda: self._weights(own))
        state = carried_out(self.model, lambda: math.fsum(self.model.state(own)))
        for name, bits in (*weights, ("membranes", state)):
            if not (math.isfinite(bits) and bits >= 0):
                raise UnknownCost(f"{machine.where}: {name} take {bits} bits; expected bits >= 0")
        cost = Cost(
            machine=machine.name,
            terms=(
                *self._terms(np.flatnonzero(rows)),
                *self._host_terms(index),
                *self._static(index),
            ),
            host=tuple(self._host(index)),
            host_share=float(self.host_share[index]),
            weights=weights,
            state_bits=state,
            emulated=tuple(
                rule for name, rule in machine.emulation.items() if bool(needed[name].any())
            ),
            unpriced=unpriced,
            **figures,  # type: ignore[arg-type]
        )
        asked = Needs(ops=own, memory_kib=cost.memory_kib, chips=chips)
        return replace(cost, misfits=misfits(machine, asked))

    def _terms(self, rows: Column) -> Iterator[Term]:
        names = self.ops.name
        for row in rows:
            for action, energies in zip(self.actions, self.energies_pj, strict=True):
                if action.count[row]:
                    yield Term(
                        cause=action.cause or action.price.replace("_", " "),
                        op=str(names[row]),
                        price=action.price,
                        count=float(action.count[row]),
                        energy_pj=float(energies[row]),
                        rule=action.rule,
                    )

    def _host_terms(self, index: int) -> Iterator[Term]:
        """What a host takes, where the energy holds it."""
        machine, work = self.model.machine, self.host
        mine = (self.every.workload == index) & (work.macs > 0) & (work.place >= 0)
        for row in np.flatnonzero(mine) if machine.price_host else ():
            yield Term(
                cause=HOST,
                op=str(self.every.name[row]),
                price=machine.host[work.place[row]][1].name,
                count=float(work.macs[row]),
                energy_pj=float(work.energy_pj[row]),
                rule="dense MACs on the host",
            )

    def _static(self, index: int) -> Iterator[Term]:
        """What the chips take while the inference runs, where they take any."""
        if energy := float(self.static_pj[index]):
            yield Term(
                cause=STATIC,
                op="all chips",
                price=STATIC_PRICE,
                count=energy / self.model.value(STATIC_PRICE),
                energy_pj=energy,
                rule="chips x time of an inference",
            )

    @property
    def memory_kib(self) -> Column:
        """Weights and membranes, per workload; not a number where an operation is unpriced."""
        held = carried_out(self.model, lambda: self.division.memory_kib)
        unknown = np.isnan(self.energy_uj)
        if not self.model.PRICED:
            lacking = [self.every.workload[rows] for rows in self.unsupported.values()]
            unknown = np.isin(np.arange(len(unknown)), np.concatenate([[], *lacking]))
        return np.where(unknown, np.nan, held)

    @property
    def host_share(self) -> Column:
        """Share of each network's dense MACs that a host does."""
        return self.division.host_share

    def _weights(self, own: Ops) -> tuple[tuple[str, float], ...]:
        """Bits by format; a matrix is in the first of the formats in which it is smallest."""
        stored = self.model.stored(own)
        columns = np.array(list(stored.values()))
        smallest = columns.argmin(axis=0)
        return tuple(
            (name, float(columns[place, smallest == place].sum()))
            for place, name in enumerate(stored)
            if (smallest == place)[columns[place] > 0].any()
        )

    def _unpriced(self, index: int) -> Iterator[Unpriced]:
        if not self.model.PRICED:
            yield NO_PRICE
        for row in np.flatnonzero(self.every.workload == index):
            for need, rows in self.unsupported.items():
                if rows[row]:
                    yield Unpriced(action=f"{self.every.name[row]}: {need}", count=1)
            if self.model.machine.price_host and self.host.unpriced[row]:
                bits = max(self.every.a_bits[row], self.every.b_bits[row])
                yield Unpriced(action=f"{self.every.name[row]}: host MACs of {bits} bits", count=1)

    def _host(self, index: int) -> Iterator[HostOperation]:
        """What a host does; neurons go with the operation that drives them, or all by themselves.

        Shares are of everything that the network does densely, counted or not.
        """
        every, words = self.every, self.model.machine.capabilities.model_dump()
        rows = np.flatnonzero(every.workload == index)
        whole = math.fsum(every.dense_macs[rows]) + every.uncounted[index]
        updates = (every.neurons * every.time_steps)[rows].sum()
        if words["neuron"] == "host" and updates:
            yield HostOperation(name=f"{updates} neuron updates", dense_macs=0.0, share=0.0)
        needed = needs(every)
        for row in rows[self.division.hosted[rows]]:
            reasons = [r for n, r in REASONS.items() if words[n] == "host" and needed[n][row]]
            name = f"{every.name[row]}: {(reasons or [f'{every.kind[row]} of spikes'])[0]}"
            if every.neurons[row] and words["neuron"] != "host":
                name += f", with {every.neurons[row]} neurons"
            macs = float(every.dense_macs[row])
            share = float(macs / whole) if whole else 0.0
            priced = self.host.place[row] >= 0
            yield HostOperation(
                name=name,
                dense_macs=macs,
                share=share,
                energy_pj=float(self.host.energy_pj[row]) if macs and priced else None,
                counted=bool(macs and priced and self.model.machine.price_host),
            )
