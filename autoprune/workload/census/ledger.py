"""Ledger: what a pass did, in order, while neurons are still being assigned to its operations.

A network that loops over its time steps calls an operation once per step. Such calls wait here
until the pass is over; then T of them are one operation of T steps, as if it had seen all at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import get_args

from torch import Tensor

from autoprune.workload.census.chain import Link
from autoprune.workload.census.entry import Builder, Entry, Fired, number
from autoprune.workload.census.places import Site
from autoprune.workload.census.raw import Raw
from autoprune.workload.op import Op
from autoprune.workload.workload import Elementwise, ElementwiseKind, Folded, Found


class Ledger:
    """Operations in the order of execution, and what is done entry by entry.

    Args:
        steps: T.

    Attributes:
        unowned: neurons that no operation drives, by the name of their module.
        folded: layers that read spikes in another unit than 1; known once `ops` was asked.
    """

    def __init__(self, steps: int) -> None:
        self.unowned: dict[str, int] = {}
        self.folded: tuple[Folded, ...] = ()
        self._found: dict[tuple[str, str], Fired] = defaultdict(Counter)
        self._steps = steps
        self._entries: list[Entry] = []
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
        entry = Entry(key, site, numbered, raws, build)
        if len(raws[0].x) == self._steps:
            entry.built(build)
            entry.raws, entry.build = (), None
        else:  # the network may write over it before the pass is over
            entry.raws = tuple(replace(raw, x=raw.x.clone()) for raw in raws)
        self._entries.append(entry)
        return key

    def chain(self, key: str, raws: tuple[Raw, ...], link: Link) -> None:
        """Note that one of the operands `raws` of a call may be the product that `link` tells."""
        entry, before = self._entry(key), self._entry(link.first.key)
        if entry.build is None and before.build is None:
            _resolve(link, entry, before, raws, link.first.raws)
        elif entry.build is not None and before.build is not None:
            entry.link = link

    def ops(self) -> tuple[Op, ...]:
        """All operations, with their names, once the pass is over."""
        groups = self._groups()
        leaders = {entry.key: group[0] for group in groups for entry in group}
        for group in groups:
            group[0].joined(group[1:])
        for entry in (group[0] for group in groups if group[0].link):
            assert entry.link is not None
            before = leaders[entry.link.first.key]
            _resolve(entry.link, entry, before, entry.raws, before.raws)
        names: dict[str, str] = {}
        given: Counter[str] = Counter()
        for group in groups:
            site, numbered = group[0].site, group[0].numbered
            given[site.name] += 1
            nth = given[site.name]
            name = f"{site.name}{nth}" if numbered else site.name
            name += f"#{nth}" if nth > 1 and not numbered else ""
            names |= {entry.key: name for entry in group}
        leading = [group[0] for group in groups]
        layers = (e for e in leading if not e.numbered)
        self.folded = tuple(Folded(layer=names[e.key], unit=e.unit) for e in layers if e.unit != 1)
        return tuple(op for e in leading for op in e.named(names[e.key], names, self._steps))

    def _groups(self) -> list[list[Entry]]:
        """Calls that are one operation: T of one step each, or one of whatever it has."""
        waiting: dict[object, list[Entry]] = defaultdict(list)
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

    def find(self, path: str, owner: str | None, neurons: int, steps: int) -> None:
        """Note that neurons of a module were found by what they emit, in so many steps at once."""
        self._found[path, (owner or "").rpartition("@")[0]][path, neurons, steps] += 1

    def found(self) -> tuple[Found, ...]:
        """What was found, by module."""
        found: Counter[str] = Counter()
        for (path, _), fired in self._found.items():
            found[path or "the network itself"] += number(fired, self._steps)
        return tuple(Found(module=path, neurons=n) for path, n in found.items())

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
            path: of the neurons' module.
            neurons: how many, per sample.
            steps: that they took at once.
            updates: of all samples and steps.
            active: of those.
            spikes: that they emitted, by sample.
        """
        entry = self._entry(key)
        entry.fired[path, neurons, steps] += 1
        entry.updates += updates
        entry.active += active
        entry.spikes = entry.spikes + spikes

    def _entry(self, key: str) -> Entry:
        return next(entry for entry in reversed(self._entries) if entry.key == key)


def _resolve(
    link: Link,
    entry: Entry,
    before: Entry,
    raws: tuple[Raw, ...],
    first: tuple[Raw, ...],
) -> None:
    found = link.ops(first, raws, (before.site, entry.site), before.ops[0])
    if found is not None:
        before.ops, entry.ops = found
