"""Limits: what a machine holds at most by its file, and what of a network is beyond it.

A table ``[limits]`` has any of

    inputs_per_neuron   nonzero weights that an output of a layer sums up
    neurons             that the machine has to hold
    layers              operations with weights
    synapses            nonzero weights, at every position at which they are applied
    memory              KiB of weights and membranes, as `autoprune.cost.cost.Cost.memory_kib`
    chips               that are needed, of families that count them

Limits decide no price: a network that does not fit is named with the reason, and stays on fronts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from autoprune.cost.machine import Machine
from autoprune.cost.ops import Ops
from autoprune.workload.columns import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What one network asks of a machine.

    Attributes:
        ops: that the machine does itself. memory_kib: see `Cost`; None where that is not known.
        chips: that are needed; None where the machine defines none.
    """

    ops: Ops
    memory_kib: float | None
    chips: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One kind of limit.

    Attributes:
        words: what is limited. needed: the largest that a network asks for, and the operation that
            does; no operation where all do together; None where nothing is known.
    """

    words: str
    needed: Callable[[Needs], tuple[float, str] | None]


def _largest(values: Column, ops: Ops) -> tuple[float, str] | None:
    if not len(ops):
        return None
    place = int(np.argmax(values))
    return float(values[place]), str(ops.name[place])


def _together(value: float | None) -> tuple[float, str] | None:
    return None if value is None else (float(value), "")


LIMITS: Final[Mapping[str, Limit]] = {
    "inputs_per_neuron": Limit(
        words="inputs to a neuron",
        needed=lambda n: _largest(np.where(n.ops.static, n.ops.b_column_max, 0), n.ops),
    ),
    "neurons": Limit(words="neurons", needed=lambda n: _together(n.ops.neurons.sum())),
    "layers": Limit(words="layers", needed=lambda n: _together(n.ops.static.sum())),
    "synapses": Limit(
        words="synapses",
        needed=lambda n: _together(
            np.where(n.ops.static, n.ops.b_nonzeros * n.ops.m, 0).sum(dtype=np.float64)
        ),
    ),
    "memory": Limit(words="KiB of weights and membranes", needed=lambda n: _together(n.memory_kib)),
    "chips": Limit(words="chips", needed=lambda n: _together(n.chips)),
}
"""The limits by their keys in a file."""

UNITS: Final[Mapping[str, str]] = {name: "count" for name in LIMITS} | {"memory": "KiB"}
"""The unit of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A limit that a network exceeds.

    Attributes:
        limit: its key. words: what is limited. op: the operation that exceeds it most; empty where
            all do together.
        needed, most: what the network asks for, and what there is.
    """

    limit: str
    words: str
    op: str
    needed: float
    most: float

    def __str__(self) -> str:
        place = f" of {self.op}" if self.op else ""
        return f"{self.needed:.10g} {self.words}{place}, at most {self.most:.10g}"


def misfits(machine: Machine, needs: Needs) -> tuple[Misfit, ...] | None:
    """The limits that a network exceeds; None where the machine's file has none."""
    if not machine.limits:
        return None
    found = []
    for own in machine.limits:
        limit = LIMITS[own.name]
        asked = limit.needed(needs)
        if asked is not None and asked[0] > own.value:
            found.append(
                Misfit(
                    limit=own.name,
                    words=limit.words,
                    op=asked[1],
                    needed=asked[0],
                    most=own.value,
                )
            )
    return tuple(found)


def fit_words(found: tuple[Misfit, ...] | None) -> str | None:
    """``yes``, or what does not fit, in words; None where no limits are known."""
    return None if found is None else "; ".join(map(str, found)) or "yes"
