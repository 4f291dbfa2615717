"""Price many workloads on one machine at once: who does what, what it costs, and is it a number.

Energy is count times price in float64, per operation and action, and where chips take power all the
time that power times the latency; what a host does is in it where that is asked for. Totals are
exactly rounded sums (`math.fsum`), so that neither their order nor how many workloads are priced
together matters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar, final

import numpy as np

from autoprune.cost.action import Action
from autoprune.cost.cost import HOST, STATIC, Cost, HostOperation, Term, UnknownCost, Unpriced
from autoprune.cost.division import Division, divide, needs
from autoprune.cost.host import REASONS, HostWork, host_work
from autoprune.cost.limits import Needs, misfits
from autoprune.cost.ops import Ops
from autoprune.errors import AutopruneError
from autoprune.workload.columns import Column

if TYPE_CHECKING:
    from autoprune.cost.model import CostModel

_CHARGED = ("pJ", "mW")
_FIGURES = ("latency_us", "cycles", "cores", "chips", "area_mm2", "static_power_mw")
STATIC_PRICE: Final = "static_power"
"""The price, in mW, that a family of chips with static power declares."""

_Result = TypeVar("_Result")


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
        weights = _carried_out(self.model, lambda: self._weights(own))
        state = _carried_out(self.model, lambda: math.fsum(self.model.state(own)))
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
        """Weights and membranes, per workload; not a number where something is unpriced."""
        held = _carried_out(self.model, lambda: self.division.memory_kib)
        return np.where(np.isnan(self.energy_uj), np.nan, held)

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


def price_all(model: CostModel, ops: Ops) -> Costs:
    """See `CostModel.price_all`."""
    words = model.machine.capabilities.model_dump()
    division = divide(model, ops)
    every, mine = division.every, division.own
    needed = needs(every)
    unsupported = {n: rows for n, rows in needed.items() if words[n] == "unsupported"}
    work = host_work(model.machine, every, division.hosted)
    actions = _carried_out(model, lambda: tuple(model.actions(mine)))
    checked = tuple(_checked(model, mine, action) for action in actions)
    energies = tuple(action.count * model.value(action.price) for action in checked)
    unknown = np.zeros(ops.workloads, dtype=bool)
    for rows in unsupported.values():
        unknown[every.workload[rows]] = True
    outside = np.zeros(len(every))
    if model.machine.price_host:
        unknown[every.workload[work.unpriced]] = True
        outside = work.energy_pj
    figures = {
        name: _figure(model, name, values, ops.workloads)
        for name, values in _carried_out(model, lambda: dict(model.figures(mine))).items()
    }
    static = _static_pj(model, figures, ops.workloads)
    sums = _sums((mine, energies), (every, outside), static)
    return Costs(
        model=model,
        division=division,
        actions=checked,
        energies_pj=energies,
        energy_uj=np.where(unknown, np.nan, sums * 1e-6),
        static_pj=static,
        figures={name: np.where(unknown, np.nan, values) for name, values in figures.items()},
        unsupported=unsupported,
        host=work,
    )


def _carried_out(model: CostModel, rule: Callable[[], _Result]) -> _Result:
    """What a rule gives; UnknownCost with what it raised."""
    try:
        with np.errstate(all="ignore"):  # what is no number is found below, and named
            return rule()
    except AutopruneError as error:
        raise UnknownCost(f"{model.machine.where}: {error}") from error
    except Exception as error:
        raise UnknownCost(
            f"{model.machine.where}: a rule of family {model.machine.family!r} failed "
            f"({type(error).__name__}: {error})"
        ) from error


def _checked(model: CostModel, ops: Ops, action: object) -> Action:
    """The action with a count for every row; UnknownCost where it is none that can be charged."""
    where, family = model.machine.where, model.machine.family
    if not isinstance(action, Action):
        raise UnknownCost(f"{where}: family {family!r} charges {action!r}; expected an Action")
    if model.PRICES.get(action.price) not in _CHARGED:
        raise UnknownCost(
            f"{where}: family {family!r} charges {action.price!r}; expected one of its PRICES in "
            f"{' or '.join(_CHARGED)} ({', '.join(model.PRICES)})"
        )
    try:
        count = np.broadcast_to(np.asarray(action.count, dtype=np.float64), (len(ops),))
    except (TypeError, ValueError) as error:
        raise UnknownCost(
            f"{where}: {action.price}: not one count for each of {len(ops)} operations ({error})"
        ) from error
    wrong = np.flatnonzero(~(np.isfinite(count) & (count >= 0)))
    if len(wrong):
        raise UnknownCost(
            f"{where}: {action.price} of {ops.name[wrong[0]]} counts {count[wrong[0]]}; expected a "
            "finite number >= 0"
        )
    return Action(action.price, count, action.cause, action.rule)


def _figure(model: CostModel, name: str, values: object, workloads: int) -> Column:
    where = f"{model.machine.where}: {name}"
    if name not in _FIGURES:
        raise UnknownCost(f"{where}: no known figure; expected one of {', '.join(_FIGURES)}")
    found = np.broadcast_to(np.asarray(values, dtype=np.float64), (workloads,))
    if not (np.isfinite(found) & (found >= 0)).all():
        raise UnknownCost(f"{where} is {found.tolist()}; expected finite numbers >= 0")
    return found


def _static_pj(model: CostModel, figures: Mapping[str, Column], workloads: int) -> Column:
    """Static power times latency of each workload in picojoules; 0 where no static power is."""
    if "static_power_mw" not in figures:
        return np.zeros(workloads)
    if "latency_us" not in figures or STATIC_PRICE not in model.PRICES:
        raise UnknownCost(
            f"{model.machine.where}: static_power_mw is given; expected latency_us with it, and "
            f"{STATIC_PRICE} in mW among PRICES"
        )
    return figures["static_power_mw"] * figures["latency_us"] * 1e3


def _sums(own: tuple[Ops, tuple[Column, ...]], host: tuple[Ops, Column], static: Column) -> Column:
    """Energy of each workload in picojoules: of operations by action, of the host, of static power.

    In one exactly rounded sum.
    """
    lists, outside = [energy.tolist() for energy in own[1]], host[1].tolist()
    return np.array(
        [
            math.fsum([still, *(value for energy in lists for value in energy[a:b]), *outside[c:d]])
            for still, (a, b), (c, d) in zip(
                static.tolist(), own[0].spans(), host[0].spans(), strict=True
            )
        ]
    )
