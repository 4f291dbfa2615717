"""Entry: one call of an operation in the ledger, with what is found out after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from autoprune.workload.census.chain import Link
from autoprune.workload.census.places import Site
from autoprune.workload.census.raw import Raw
from autoprune.workload.census.values import whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Neurons

Builder = Callable[..., tuple[Op, ...]]
"""Makes Ops, one per order, of a `Site` and of operands with all of their time steps."""


Fired = Counter[tuple[str, int, int]]
"""How often so many neurons of a module took so many steps at once."""


@dataclass(slots=True, eq=False)
class Entry:
    """A call of an operation, and the neurons that it drives.

    Attributes:
        key: under which it is known while the pass lasts.
        site: where it stands. numbered: whether its name always has a number.
        raws: its operands, while it waits for further steps; then `build` makes Ops of them.
        link: the call whose product one of the operands may be.
        ops: in one order, or both.
        unit: what one spike of the first operand is.
        norm_folded, updates, active, spikes: as in an Op; of `updates` some are `active`.
        fired: who took its product: how often so many neurons of a module took so many steps.
    """

    key: str
    site: Site
    numbered: bool
    raws: tuple[Raw, ...]
    build: Builder | None
    link: Link | None = None
    ops: tuple[Op, ...] = ()
    unit: float = 1.0
    norm_folded: bool = False
    fired: Fired = field(default_factory=Counter)
    updates: int = 0
    active: int = 0
    spikes: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    def built(self, build: Builder) -> None:
        """Look at the operands, all steps of which are there, and make Ops of them."""
        operands = [raw.operand() for raw in self.raws]
        self.ops, self.unit = build(self.site, *operands), operands[0].values.unit

    def joined(self, others: list[Entry]) -> None:
        """Become this call and those of the following steps as one."""
        if self.build is not None:
            steps = zip(*(other.raws for other in others), strict=True) if others else ()
            if others:
                self.raws = tuple(
                    raw.joined(list(rest)) for raw, rest in zip(self.raws, steps, strict=True)
                )
            self.built(self.build)
        for other in others:
            self.norm_folded |= other.norm_folded
            self.fired += other.fired
            self.updates += other.updates
            self.active += other.active
            self.spikes = self.spikes + other.spikes

    def named(self, name: str, names: dict[str, str], steps: int) -> tuple[Op, ...]:
        """Its Ops under their name, in a pass of so many steps; `names` are those of calls."""
        producers = tuple(dict.fromkeys(names.get(key, key) for key in self.site.producers))
        neurons = Neurons(
            count=number(self.fired, steps),
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


def number(fired: Fired, steps: int) -> int:
    """How many neurons fired: those that took one step after the other, up to T, are the same."""
    return sum(neurons * -(-times * taken // steps) for (_, neurons, taken), times in fired.items())
