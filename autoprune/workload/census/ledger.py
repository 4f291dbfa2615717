"""Ledger: what a pass did, in order, while neurons are still being assigned to its operations.

A network that loops over its time steps calls an operation once per step. Such calls wait here
until the pass is over; then T of them are one operation of T steps, as if it had seen all at once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import get_args

from autoprune.workload.census.chain import chained
from autoprune.workload.census.entry import Builder, Entry, Fired, Link, Part, number
from autoprune.workload.census.operand import Raw
from autoprune.workload.census.places import Site
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

    def add(  # noqa: PLR0913 - what a call is, and what is not known of it yet
        self,
        site: Site,
        producers: tuple[Entry | str, ...],
        raws: tuple[Raw, ...],
        build: Builder,
        *,
        numbered: bool,
        part: Part | None = None,
    ) -> Entry:
        """Take in a call.

        Args:
            site: where it stands; `name` is the operation's, or begins it where it is `numbered`.
            producers: calls whose neurons' spikes are in its operands.
            raws: its operands, all with the same number of steps.
            build: makes the Op of them.
            numbered: whether the name always has a number, as of products.
            part: as in `Entry`.
        """
        entry = Entry(len(self._entries), site, numbered, producers, raws, build, part)
        if part is None and entry.steps == self._steps:
            entry.built()
            entry.raws = ()
        else:  # the network may write over it before the pass is over
            entry.raws = tuple(replace(raw, x=raw.x.clone()) for raw in raws)
        self._entries.append(entry)
        return entry

    def chain(self, entry: Entry, raws: tuple[Raw, ...], link: Link) -> None:
        """Note that one of the operands `raws` of a call may be the product that `link` tells."""
        before = link.factors.entry
        if entry.build is None and (before.build is None or before.steps == self._steps):
            before.built()  # one head of what is multiplied as a whole here
            chained(entry, before, link, raws, link.factors.raws)
        elif entry.build is not None and before.build is not None:
            entry.link = link

    def ops(self) -> tuple[Op, ...]:
        """All operations, with their names, once the pass is over."""
        groups = self._groups()
        leaders = {entry: leader for leader, group in groups.items() for entry in group}
        names: dict[Entry | str, str] = {}
        given: Counter[str] = Counter()
        for leader, group in groups.items():
            leader.built()
            if leader.link:
                before = leaders[leader.link.factors.entry]
                chained(leader, before, leader.link, leader.raws, before.raws)
            given[leader.site.name] += 1
            nth = given[leader.site.name]
            alone = "" if nth == 1 else f"#{nth}"
            name = leader.site.name + (str(nth) if leader.numbered else alone)
            names |= dict.fromkeys(group, name)
        layers = (e for e in groups if not e.numbered)
        self.folded = tuple(Folded(layer=names[e], unit=e.unit) for e in layers if e.unit != 1)
        return tuple(op for e in groups for op in e.named(names, self._steps))

    def _groups(self) -> dict[Entry, list[Entry]]:
        """Calls that are one operation, joined: T of one step each, then all heads."""
        groups = {entry: [entry] for entry in self._entries}

        def join(entries: list[Entry], dim: int) -> None:
            leader, *others = entries
            leader.joined(others, dim)
            for other in others:
                groups[leader] += groups.pop(other)

        for entries in self._alike(groups, all_steps=False):
            period, rest = divmod(len(entries), self._steps)
            for first in range(0 if rest else period):
                join(entries[first::period], 0)
        for entries in self._alike(groups, all_steps=True):
            parts = [part for entry in entries if entry.part for part in entry.part.each]
            if parts and len(set(parts)) == len(parts):
                join(entries, 2)
        return groups

    def _alike(self, groups: Iterable[Entry], *, all_steps: bool) -> list[list[Entry]]:
        """Calls of one shape that wait for further ones, of `all_steps` or of one each."""
        waiting: dict[object, list[Entry]] = defaultdict(list)
        for entry in groups:
            if entry.build is not None and (entry.steps == self._steps) is all_steps:
                shapes = tuple(raw.x.shape for raw in entry.raws)
                whole = entry.part.whole if all_steps and entry.part else None
                waiting[entry.site.name, entry.numbered, shapes, whole].append(entry)
        return list(waiting.values())

    @property
    def elementwise(self) -> tuple[Elementwise, ...]:
        """What was noted, one of each kind that occurred."""
        return tuple(
            Elementwise(kind=kind, places=self._places[kind], entries=self._elements[kind])
            for kind in get_args(ElementwiseKind)
            if kind in self._places
        )

    def find(self, path: str, owner: Entry | None, neurons: int, steps: int) -> None:
        """Note that neurons of a module were found by what they emit, in so many steps at once."""
        self._found[path, owner.site.name if owner else ""][path, neurons, steps] += 1

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
