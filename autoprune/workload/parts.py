"""The parts of an `autoprune.workload.op.Op`: sizes, operands, work, neurons; each checks itself.

Counts are totals over samples and time, whole and not negative, unless told otherwise. Messages
call a figure by its column of `autoprune.workload.columns`, such as ``a_bits``.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from autoprune.errors import InputError
from autoprune.workload.columns import NAMES

OperandClass = Literal["binary", "ternary", "integer", "real"]
"""What entries are: 0 or 1; -1, 0 or 1; counts of spikes; or anything."""

SecondClass = Literal[OperandClass, "weight"]
"""The same of B, which may be a static weight."""

WINDOWS = (2, 4, 8)
"""Time steps of the windows of `Activity.windows`."""

ROWS = (8, 32)
"""Rows of the groups of `Activity.groups`."""

TILE = (256, 16)
"""Rows and columns of the tiles of `Activity.tiles`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large a product ``out[M, N] = A[M, K] @ B[K, N]`` is, and how often it is done.

    Attributes:
        m, k, n: rows (tokens or output positions), summed dimension, columns; per time step,
            group and head, for one sample.
        groups: convolution groups, 1 elsewhere. heads: attention heads, 1 elsewhere.
        time_steps: how often the product is done in one inference; 1 where time was averaged out.
    """

    m: int
    k: int
    n: int
    groups: int = 1
    heads: int = 1
    time_steps: int

    def __post_init__(self) -> None:
        _check("sizes", self, "sizes", at_least_one=("m", "groups", "heads", "time_steps"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Kernel, stride, padding, dilation and sizes of a convolution; one entry per dimension."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    in_size: tuple[int, ...]
    out_size: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """The first operand, A.

    Attributes:
        kind: what it holds.
        bits: of an entry: 1 where binary, 2 where ternary, as many as the largest count needs
            where integer, and one for the sign if there is one, 32 where real.
        size: its entries. nonzeros: those that are not 0.
        events: sum of its spike counts; an integer n is n events, and so is -n. 0 where real.
        events_std: standard deviation over samples of the events per sample.
        events_per_step, nonzeros_per_step: `events` and `nonzeros` by time step.
    """

    kind: OperandClass
    bits: int
    size: int
    nonzeros: int
    events: int
    events_std: float
    events_per_step: tuple[int, ...]
    nonzeros_per_step: tuple[int, ...]

    def __post_init__(self) -> None:
        check_word("activation", "a_class", self.kind, get_args(OperandClass))
        _check("activation", self, "a", at_least_one=("bits",))
        if self.nonzeros > self.size:
            raise InputError("activation", f"a_nonzeros {self.nonzeros} exceeds a_size {self.size}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Second:
    """The second operand, B: a static weight, or another activation.

    Attributes:
        kind: what it holds.
        bits: of an entry, as of A; of a static weight those to which it was rounded, 32 as it was
            trained.
        size, nonzeros: as of A; of a static weight they count the matrix once, not per sample.
        events: as of A; 0 of a static weight.
        row_max, column_max: of a static weight, the most nonzeros in a row of B (what an input
            reaches) and in a column (what an output sums up); 0 of an activation.
        max_of_2, max_of_4, max_of_8: of a static weight, the most nonzeros among so many
            consecutive inputs of an output, of a convolution at one tap of its kernel; so many
            where they do not divide the inputs.
    """

    kind: SecondClass
    bits: int
    size: int
    nonzeros: int
    events: int = 0
    row_max: int = 0
    column_max: int = 0
    max_of_2: int = 2
    max_of_4: int = 4
    max_of_8: int = 8

    def __post_init__(self) -> None:
        check_word("second operand", "b_class", self.kind, get_args(SecondClass))
        _check("second operand", self, "b", at_least_one=("bits",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What multiplying A and B takes.

    Attributes:
        dense_macs: multiply-accumulates of the dense product, M K N per step, group and head.
            At the border of a convolution the padding counts, as in every FLOP counter.
        real_macs: dense MACs where A is real, else 0.
        fanout_sops: events times dense fan-out, exact at borders and strides. Of an attention
            product: events of its binary operand times the width of the other.
        effective_sops: synaptic operations in which event and weight are both nonzero. Of an
            attention product: coincidences, both operands nonzero.
        effective_sops_per_step: the same by time step.
        effective_sops_std: standard deviation over samples of the count per sample.
    """

    dense_macs: int
    real_macs: int
    fanout_sops: int
    effective_sops: int
    effective_sops_per_step: tuple[int, ...]
    effective_sops_std: float

    def __post_init__(self) -> None:
        _check("work", self, "work")
        if self.effective_sops > self.fanout_sops:
            raise InputError(
                "work",
                f"effective_sops {self.effective_sops} exceeds fanout_sops {self.fanout_sops}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Neurons:
    """The spiking neurons that a product drives; nothing where it drives none.

    Attributes:
        count: how many, per sample.
        updates_active: updates in whose step the product was not zero. Where several products are
            summed before a neuron, it belongs to the last, and all are active.
        updates_inactive: the other updates; the two add up to samples x time steps x neurons.
        output_spikes: what they emitted.
        output_spikes_std: standard deviation over samples of the spikes per sample.
    """

    count: int = 0
    updates_active: int = 0
    updates_inactive: int = 0
    output_spikes: int = 0
    output_spikes_std: float = 0.0

    def __post_init__(self) -> None:
        _check("neurons", self, "neurons")

    @property
    def updates(self) -> int:
        """All updates."""
        return self.updates_active + self.updates_inactive

    @property
    def rate(self) -> float:
        """Spikes per update; 0 where there is none."""
        return self.output_spikes / self.updates if self.updates else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """How the spikes of A lie in time and space, as machines need it that skip groups of them.

    All are totals over samples (and heads and groups).

    Attributes:
        silent: entries of A that are 0 in every time step; there are size / time_steps.
        windows: entries that are not 0 in some step of a window (OR over the window), summed over
            the windows of 2, 4 and 8 steps (`WINDOWS`); the last window may be shorter.
        empty_groups: groups of 8 and of 32 (`ROWS`) consecutive rows of one column of A, within
            one step, that are all 0; the last group may be smaller. The rows of a convolution are
            its input's positions, the columns its channels.
        groups: how many such groups there are.
        tiles: product sparsity in tiles of 256 rows and 16 columns (`TILE`) of A as it is
            multiplied, a convolution's unrolled, the steps of a position side by side, a product of
            activations step by step: entries that are not 0; those left where every row of two or
            more has lost the largest row that it contains, of equal rows all but the first the
            whole; rows that are emptied so; rows of two or more. None where they were not asked
            for; four zeros where nothing is multiplied or A is real.
    """

    silent: int
    windows: tuple[int, int, int]
    empty_groups: tuple[int, int]
    groups: tuple[int, int]
    tiles: tuple[int, int, int, int] | None = None


_LARGEST = 2**63
"""A count is smaller: columns of them have 64 bits."""

Part = Sizes | Activation | Second | Work | Neurons

PARTS: Mapping[str, type[Part]] = {
    "sizes": Sizes,
    "a": Activation,
    "b": Second,
    "work": Work,
    "neurons": Neurons,
}
"""The parts by their names in an Op."""


def check_word(where: str, column: str, word: str, words: tuple[str, ...]) -> None:
    """Raise InputError where the word of a column is none of these."""
    if word not in words:
        raise InputError(where, f"{column} is {word!r}", name=str(word), candidates=words)


@cache
def _figures(place: str) -> tuple[tuple[str, str, str], ...]:
    """Name, column and type of each figure of the part at a place in an Op."""
    fields = dataclasses.fields(PARTS[place])
    return tuple((f.name, NAMES[f"{place}.{f.name}"], str(f.type)) for f in fields)


def _check(where: str, part: Part, place: str, *, at_least_one: tuple[str, ...] = ()) -> None:
    for field, column, kind in _figures(place):
        value = getattr(part, field)
        if kind in ("int", "tuple[int, ...]"):
            counts = value if isinstance(value, tuple) else (value,)
            if any(type(count) is not int or not 0 <= count < _LARGEST for count in counts):
                raise InputError(where, f"{column} is {value!r}", "whole counts >= 0")
            if field in at_least_one and value < 1:
                raise InputError(where, f"{column} is {value}", "at least 1")
        if kind == "float" and not 0 <= value < math.inf:
            raise InputError(where, f"{column} is {value}", "a number >= 0")


NO_NEURONS = Neurons()
"""What a product drives that no neuron follows."""
