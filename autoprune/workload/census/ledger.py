"""Ledger: what a pass did, in order, while neurons are still being assigned to its operations.

A network that loops over its time steps calls an operation once per step. Such calls wait here
until the pass is over; then T of them are one operation of T steps, as if it had seen all at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import get_args

import torch
from torch import Tensor

from autoprune.workload.census.operand import Operand
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import (
    REAL,
    Values,
    by_channel,
    counted,
    examine,
    whole,
)
from autoprune.workload.op import Op
from autoprune.workload.parts import Neurons
from autoprune.workload.workload import Elementwise, ElementwiseKind, Found

Builder = Callable[..., tuple[Op, ...]]
"""Makes Ops, one per order, of a `Site` and of operands with all of their time steps."""

Resolver = Callable[..., tuple[tuple[Op, ...], tuple[Op, ...]] | None]
"""Makes the Ops of two products of one chain of their operands, sites and the first's Op."""


@dataclass(frozen=True, slots=True)
class Raw:
    """An operand before it is looked at.

    Attributes:
        x: [T, B, ...], or [1, B, ...].
        real: whether it is real whatever its data say.
        channel: an axis whose entries may have a unit each, where that makes them simpler.
        is_product: as in `Operand`.
        known: what it holds, where that is known.
        unit: what one spike may be; see `examine`.
    """

    x: Tensor
    real: bool = False
    channel: int | None = None
    is_product: bool = False
    known: Values | None = None
    unit: float | None = None

    def operand(self) -> Operand:
        """What it holds."""
        if self.known is not None and not self.real:
            return Operand(self.x, self.known, self.is_product)
        if self.real:
            return Operand(self.x, REAL, self.is_product)
        values = examine(self.x, self.unit)
        found = Operand(counted(self.x, values), values, self.is_product)
        if self.channel is None or (values.unit in (1.0, self.unit) and values != REAL):
            return found
        x, values = by_channel(self.x, self.channel)
        apart = Operand(x, values, self.is_product)
        return min(found, apart, key=lambda o: (o.rank, o.values.largest))

    def joined(self, others: list[Raw]) -> Raw:
        """What this step and those that follow it hold together."""
        raws = [self, *others]
        same = all(raw.known == self.known for raw in others)
        return replace(
            self,
            x=torch.cat([raw.x for raw in raws]),
            real=all(raw.real for raw in raws),
            known=self.known if same else None,
        )


@dataclass(slots=True, eq=False)
class _Entry:
    """A call of an operation, with what is found out after it."""

    key: str
    site: Site
    numbered: bool
    raws: tuple[Raw, ...]
    build: Builder | None
    link: tuple[str, Resolver] | None = None
    ops: tuple[Op, ...] = ()
    norm_folded: bool = False
    neurons: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    updates: int = 0
    active: int = 0
    spikes: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    def joined(self, others: list[_Entry]) -> None:
        """Become this call and those of the following steps as one."""
        if self.build is not None:
            steps = zip(*(other.raws for other in others), strict=True) if others else ()
            if others:
                self.raws = tuple(
                    raw.joined(list(rest)) for raw, rest in zip(self.raws, steps, strict=True)
                )
            self.ops = self.build(self.site, *(raw.operand() for raw in self.raws))
        for other in others:
            self.norm_folded |= other.norm_folded
            self.neurons = max(self.neurons, other.neurons)
            self.updates += other.updates
            self.active += other.active
            self.spikes = self.spikes + other.spikes

    def named(self, name: str, names: dict[str, str]) -> tuple[Op, ...]:
        """Its Ops under their name; `names` are those of calls."""
        producers = tuple(dict.fromkeys(names.get(key, key) for key in self.site.producers))
        neurons = Neurons(
            count=self.neurons,
            updates_active=self.active,
            updates_inactive=self.updates - self.active,
            output_spikes=whole(self.spikes),
            output_spikes_std=float(self.spikes.std(correction=0)),
        )
        return tuple(
            replace(
                op, name=name, producers=producers, norm_folded=self.norm_folded, neurons=neurons
            )
            for op in self.ops
        )


class Ledger:
    """Operations in the order of execution, and what is done entry by entry.

    Args:
        steps: T.

    Attributes:
        unowned: neurons that no operation drives, by the name of their module.
    """

    def __init__(self, steps: int) -> None:
        self.unowned: dict[str, int] = {}
        self._found: dict[tuple[str, str], int] = {}
        self._steps = steps
        self._entries: list[_Entry] = []
        self._places: Counter[ElementwiseKind] = Counter()
        self._elements: Counter[ElementwiseKind] = Counter()

    def add(self, site: Site, raws: tuple[Raw, ...], build: Builder, *, numbered: bool) -> str:
        """Take in a call; the key under which it is known while the pass lasts.

        Args:
            site: where it stands; `name` is the operation's, or begins it where it is `numbered`.
            raws: its operands, all with the same number of steps.
            build: makes Ops of them.
            numbered: whether the name always has a number, as of products.
        """
        key = f"{site.name}@{len(self._entries)}"
        entry = _Entry(key, site, numbered, raws, build)
        if len(raws[0].x) == self._steps:
            entry.ops = build(site, *(raw.operand() for raw in raws))
            entry.raws, entry.build = (), None
        else:  # the network may write over it before the pass is over
            entry.raws = tuple(replace(raw, x=raw.x.clone()) for raw in raws)
        self._entries.append(entry)
        return key

    def chain(
        self,
        key: str,
        raws: tuple[Raw, ...],
        first: str,
        first_raws: tuple[Raw, ...],
        resolve: Resolver,
    ) -> None:
        """Note that one operand of a call may be the product of another one.

        Args:
            key: of the call.
            raws: its operands.
            first: key of the other one.
            first_raws: its operands.
            resolve: makes Ops of both, or None where they are no chain.
        """
        entry, before = self._entry(key), self._entry(first)
        if entry.build is None and before.build is None:
            _resolve(entry, before, raws, first_raws, resolve)
        elif entry.build is not None and before.build is not None:
            entry.link = first, resolve

    def ops(self) -> tuple[Op, ...]:
        """All operations, with their names, once the pass is over."""
        groups = self._groups()
        leaders = {entry.key: group[0] for group in groups for entry in group}
        for group in groups:
            group[0].joined(group[1:])
        for entry in (group[0] for group in groups if group[0].link):
            assert entry.link is not None
            first, resolve = entry.link
            before = leaders[first]
            _resolve(entry, before, entry.raws, before.raws, resolve)
        names: dict[str, str] = {}
        given: Counter[str] = Counter()
        for group in groups:
            site, numbered = group[0].site, group[0].numbered
            given[site.name] += 1
            number = given[site.name]
            name = f"{site.name}{number}" if numbered else site.name
            name += f"#{number}" if number > 1 and not numbered else ""
            names |= {entry.key: name for entry in group}
        return tuple(op for group in groups for op in group[0].named(names[group[0].key], names))

    def _groups(self) -> list[list[_Entry]]:
        """Calls that are one operation: T of one step each, or one of whatever it has."""
        waiting: dict[object, list[_Entry]] = defaultdict(list)
        for entry in self._entries:
            if entry.build is not None:
                shapes = tuple(raw.x.shape for raw in entry.raws)
                waiting[entry.site.name, entry.numbered, shapes].append(entry)
        groups = {entry.key: [entry] for entry in self._entries}
        for entries in waiting.values():
            period, rest = divmod(len(entries), self._steps)
            if not rest:
                for first in range(period):
                    groups[entries[first].key] = entries[first::period]
                for entry in entries[period:]:
                    del groups[entry.key]
        return list(groups.values())

    @property
    def elementwise(self) -> tuple[Elementwise, ...]:
        """What was noted, one of each kind that occurred."""
        return tuple(
            Elementwise(kind=kind, places=self._places[kind], entries=self._elements[kind])
            for kind in get_args(ElementwiseKind)
            if kind in self._places
        )

    def find(self, path: str, owner: str | None, neurons: int) -> None:
        """Note that neurons of a module were found by what they emit."""
        key = path, (owner or "").rpartition("@")[0]
        self._found[key] = max(neurons, self._found.get(key, 0))

    def found(self) -> tuple[Found, ...]:
        """What was found, by module."""
        number: Counter[str] = Counter()
        for (path, _), neurons in self._found.items():
            number[path or "the network itself"] += neurons
        return tuple(Found(module=path, neurons=n) for path, n in number.items())

    def note(self, kind: ElementwiseKind, entries: int) -> None:
        """Take in one thing that was done to so many entries, one by one."""
        self._places[kind] += 1
        self._elements[kind] += entries

    def last(self, keys: Collection[str]) -> str | None:
        """Which of these calls came last; None of none."""
        return next((e.key for e in reversed(self._entries) if e.key in keys), None)

    def first_op(self, key: str) -> Op | None:
        """The Op of a call as far as it is counted; None where it waits, or is none."""
        return next((e.ops[0] for e in self._entries if e.key == key and e.ops), None)

    def fold(self, key: str) -> None:
        """Note that a batch norm stands behind the operation."""
        self._entry(key).norm_folded = True

    def drive(  # noqa: PLR0913 - what neurons did
        self,
        key: str,
        path: str,
        neurons: int,
        steps: int,
        updates: int,
        active: int,
        spikes: Tensor,
    ) -> None:
        """Assign neurons to the operation that drives them.

        Args:
            key: of the call.
            path: of the neurons' module; where it takes the operation's steps one by one, they
                are the same neurons every time.
            neurons: how many, per sample.
            steps: that they took at once.
            updates: of all samples and steps.
            active: of those.
            spikes: that they emitted, by sample.
        """
        entry = self._entry(key)
        again = steps < self._steps and entry.fired[path] % self._steps
        entry.fired[path] += 1
        entry.neurons += 0 if again else neurons
        entry.updates += updates
        entry.active += active
        entry.spikes = entry.spikes + spikes

    def _entry(self, key: str) -> _Entry:
        return next(entry for entry in reversed(self._entries) if entry.key == key)


def _resolve(
    entry: _Entry,
    before: _Entry,
    raws: tuple[Raw, ...],
    first_raws: tuple[Raw, ...],
    resolve: Resolver,
) -> None:
    found = resolve(first_raws, raws, (before.site, entry.site), before.ops[0])
    if found is not None:
        before.ops, entry.ops = found
