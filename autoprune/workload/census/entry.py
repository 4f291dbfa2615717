"""Entry: one call of an operation in the ledger, with what is found out after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from autoprune.workload.census.operand import Raw
from autoprune.workload.census.places import Site
from autoprune.workload.census.values import whole
from autoprune.workload.op import Op
from autoprune.workload.parts import Neurons

Builder = Callable[..., Op]
"""Makes the Op of a `Site` and of operands with all of their time steps."""

Fired = Counter[tuple[str, int, int]]
"""How often so many neurons of a module took so many steps at once."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Two activations that were multiplied: the call, and whether its product holds scores.

    Scores are of tokens with tokens.
    """

    entry: Entry
    raws: tuple[Raw, Raw]
    scores: bool


@dataclass(frozen=True, slots=True)
class Link:
    """What a second product may hold: the first one, which is its left operand or its right.

    Where it is `on_right`, the third factor comes behind.
    """

    factors: Factors
    on_right: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of two tensors was multiplied, such as one head of both.

    Attributes:
        whole: the two tensors.
        places: where the part lies in each of them.
    """

    whole: tuple[object, object]
    places: tuple[int, int]

    @property
    def each(self) -> set[tuple[object, int]]:
        """The two parts, or the one; products of heads have none in common."""
        return set(zip(self.whole, self.places, strict=True))


@dataclass(slots=True, eq=False)
class Entry:
    """A call of an operation, and the neurons that it drives.

    Attributes:
        number: of the calls in their order.
        site: where it stands. numbered: whether its name always has a number.
        producers: calls whose neurons' spikes are in its operands; names of what is no call.
        build: makes the Op of `raws`, the operands, while it waits for further steps or heads.
        part: of what it multiplies a part; None where it takes all heads there are.
        link: the call whose product one of the operands may be.
        ops: in one order, or both.
        unit: what one spike of the first operand is.
        norm_folded, updates, active, spikes: as in an Op; of `updates` some are `active`.
        fired: who took its product: how often so many neurons of a module took so many steps.
    """

    number: int
    site: Site
    numbered: bool
    producers: tuple[Entry | str, ...]
    raws: tuple[Raw, ...]
    build: Builder | None
    part: Part | None = None
    link: Link | None = None
    ops: tuple[Op, ...] = ()
    unit: float = 1.0
    norm_folded: bool = False
    fired: Fired = field(default_factory=Counter)
    updates: int = 0
    active: int = 0
    spikes: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    @property
    def steps(self) -> int:
        """How many steps it has while it waits."""
        return len(self.raws[0].x)

    def built(self) -> None:
        """Look at the operands, all steps of which are there, and make the Op of them."""
        if self.build is not None:
            operands = [raw.operand() for raw in self.raws]
            self.ops, self.unit = (self.build(self.site, *operands),), operands[0].values.unit
            self.build = None

    def joined(self, others: list[Entry], dim: int) -> None:
        """Become this call and those that follow it along `dim`: steps, or heads."""
        each = zip(self.raws, *(other.raws for other in others), strict=True)
        self.raws = tuple(raw.joined(rest, dim) for raw, *rest in each)
        for other in others:
            self.norm_folded |= other.norm_folded
            self.fired += other.fired
            self.updates += other.updates
            self.active += other.active
            self.spikes = self.spikes + other.spikes

    def named(self, names: Mapping[Entry | str, str], steps: int) -> tuple[Op, ...]:
        """Its Ops under the names of calls, in a pass of so many steps."""
        neurons = Neurons(
            count=number(self.fired, steps),
            updates_active=self.active,
            updates_inactive=self.updates - self.active,
            output_spikes=whole(self.spikes),
            output_spikes_std=float(self.spikes.std(correction=0)),
        )
        name, norm_folded = names[self], self.norm_folded
        producers = tuple(dict.fromkeys(names.get(p) or str(p) for p in self.producers))
        return tuple(
            replace(op, name=name, producers=producers, norm_folded=norm_folded, neurons=neurons)
            for op in self.ops
        )


def number(fired: Fired, steps: int) -> int:
    """How many neurons fired: those that took one step after the other, up to T, are the same."""
    return sum(neurons * -(-times * taken // steps) for (_, neurons, taken), times in fired.items())
