"""Ledger: what a pass did, in order, while neurons are still being assigned to its operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import get_args

import torch
from torch import Tensor

from autoprune.errors import CountingError
from autoprune.workload.census.values import whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Neurons
from autoprune.workload.workload import Elementwise, ElementwiseKind


@dataclass(slots=True)
class _Entry:
    """An operation, with what is found out after it."""

    op: Op
    norm_folded: bool = False
    neurons: int = 0
    updates: int = 0
    active: int = 0
    spikes: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    def finished(self) -> Op:
        if not self.norm_folded and not self.neurons:
            return self.op
        neurons = Neurons(
            count=self.neurons,
            updates_active=self.active,
            updates_inactive=self.updates - self.active,
            output_spikes=whole(self.spikes),
            output_spikes_std=float(self.spikes.std(correction=0)),
        )
        return replace(self.op, norm_folded=self.norm_folded, neurons=neurons)


class Ledger:
    """Operations by name, in the order of execution, and what is done entry by entry.

    Attributes:
        unowned: neurons that no operation drives, by the name of their module.
        operators: dense MACs that were counted, by fvcore's name of the function.
    """

    def __init__(self) -> None:
        self.unowned: dict[str, int] = {}
        self.operators: Counter[str] = Counter()
        self._entries: list[_Entry] = []
        self._numbers: Counter[str] = Counter()
        self._places: Counter[ElementwiseKind] = Counter()
        self._elements: Counter[ElementwiseKind] = Counter()

    @property
    def ops(self) -> tuple[Op, ...]:
        """The operations; an attention product stands there once per order."""
        return tuple(entry.finished() for entry in self._entries)

    @property
    def elementwise(self) -> tuple[Elementwise, ...]:
        """What was noted, one of each kind that occurred."""
        return tuple(
            Elementwise(kind=kind, places=self._places[kind], entries=self._elements[kind])
            for kind in get_args(ElementwiseKind)
            if kind in self._places
        )

    def number(self, prefix: str) -> str:
        """A name that was not given before: `prefix` with the next number."""
        self._numbers[prefix] += 1
        return f"{prefix}{self._numbers[prefix]}"

    def note(self, kind: ElementwiseKind, entries: int) -> None:
        """Take in one thing that was done to so many entries, one by one."""
        self._places[kind] += 1
        self._elements[kind] += entries

    def add(self, *ops: Op) -> None:
        """Take in new operations; CountingError where a layer ran twice in one pass."""
        for op in ops:
            if any(op.name == e.op.name and op.order == e.op.order for e in self._entries):
                raise CountingError(
                    f"{op.name}: its layer ran more than once in one pass; expected a network in "
                    "step mode 'm', whose layers see all time steps at once"
                )
            self._entries.append(_Entry(op))

    def replace(self, name: str, *ops: Op) -> None:
        """Put `ops` where the operation `name` was."""
        place = next(i for i, entry in enumerate(self._entries) if entry.op.name == name)
        self._entries[place : place + 1] = map(_Entry, ops)

    def find(self, name: str) -> Op | None:
        """The operation of that name as it was counted, without neurons; None if there is none."""
        return next((entry.op for entry in self._entries if entry.op.name == name), None)

    def last(self, names: Collection[str]) -> str | None:
        """Which of these operations was executed last; None of none."""
        ops = (entry.op for entry in reversed(self._entries))
        return next((op.name for op in ops if op.name in names), None)

    def fold(self, name: str) -> None:
        """Note that a batch norm stands behind the operation."""
        for entry in self._named(name):
            entry.norm_folded = True

    def drive(self, name: str, neurons: int, updates: int, active: int, spikes: Tensor) -> None:
        """Assign neurons to the operation that drives them.

        Args:
            name: of the operation.
            neurons: how many, per sample.
            updates: of all samples and steps.
            active: of those.
            spikes: that they emitted, by sample.
        """
        for entry in self._named(name):
            entry.neurons += neurons
            entry.updates += updates
            entry.active += active
            entry.spikes = entry.spikes + spikes

    def _named(self, name: str) -> list[_Entry]:
        return [entry for entry in self._entries if entry.op.name == name]
