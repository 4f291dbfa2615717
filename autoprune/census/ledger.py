"""Ledger: the operations of a pass in order, while neurons are still being assigned to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from autoprune.errors import CountingError
from autoprune.op import Op


class Ledger:
    """Operations by name, in the order of execution.

    Attributes:
        ops: the operations; an attention product stands there once per order.
        unowned: neurons that no operation drives, by the name of their module.
        operators: dense MACs that were counted, by fvcore's name of the function.
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.unowned: dict[str, int] = {}
        self.operators: Counter[str] = Counter()
        self._numbers: Counter[str] = Counter()

    def number(self, prefix: str) -> str:
        """A name that was not given before: `prefix` with the next number."""
        self._numbers[prefix] += 1
        return f"{prefix}{self._numbers[prefix]}"

    def add(self, *ops: Op) -> None:
        """Take in new operations; CountingError where a layer ran twice in one pass."""
        for op in ops:
            if any(op.name == known.name and op.order == known.order for known in self.ops):
                raise CountingError(
                    f"{op.name}: its layer ran more than once in one pass; expected a network in "
                    "step mode 'm', whose layers see all time steps at once"
                )
            self.ops.append(op)

    def replace(self, name: str, *ops: Op) -> None:
        """Put `ops` where the operation `name` was."""
        place = next(i for i, op in enumerate(self.ops) if op.name == name)
        self.ops[place : place + 1] = ops

    def last(self, names: Collection[str]) -> str | None:
        """Which of these operations was executed last; None of none."""
        return next((op.name for op in reversed(self.ops) if op.name in names), None)

    def fold(self, name: str) -> None:
        """Note that a batch norm stands behind the operation."""
        for place, op in enumerate(self.ops):
            if op.name == name:
                self.ops[place] = replace(op, norm_folded=True)

    def drive(self, name: str, neurons: int, updates: int, active: int, spikes: int) -> None:
        """Assign neurons to the operation that drives them.

        Args:
            name: of the operation.
            neurons: how many, per sample.
            updates: of all samples and steps.
            active: of those.
            spikes: that they emitted.
        """
        for place, op in enumerate(self.ops):
            if op.name == name:
                self.ops[place] = replace(
                    op,
                    neurons=op.neurons + neurons,
                    updates_active=op.updates_active + active,
                    updates_inactive=op.updates_inactive + updates - active,
                    output_spikes=op.output_spikes + spikes,
                )
