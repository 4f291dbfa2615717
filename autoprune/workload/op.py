"""Op: one matrix operation of an inference in exact counts, without a joule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from autoprune.errors import InputError

OperandClass = Literal["binary", "ternary", "integer", "real"]
SecondClass = Literal[OperandClass, "weight"]
Kind = Literal["conv", "linear", "attention_product", "masking", "sum"]
Order = Literal["executed", "published"]
Orders = Literal["both", Order]

WINDOWS = (2, 4, 8)
"""Time steps of the windows of `Activity.windows`."""

ROWS = (8, 32)
"""Rows of the groups of `Activity.groups`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Of a convolution: kernel, stride, padding, dilation, sizes; one entry per dimension."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    in_size: tuple[int, ...]
    out_size: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """How the spikes of A lie in time and space, as machines need it that skip groups of them.

    All are totals over samples (and heads and groups).

    Attributes:
        silent: entries of A that are 0 in every time step; there are a_size / time_steps.
        windows: entries that are not 0 in some step of a window (OR over the window), summed over
            the windows of 2, 4 and 8 steps (`WINDOWS`); the last window may be shorter.
        empty_groups: groups of 8 and of 32 (`ROWS`) consecutive rows of one column of A, within
            one step, that are all 0; the last group may be smaller. The rows of a convolution are
            its input's positions, the columns its channels.
        groups: how many such groups there are.
    """

    silent: int
    windows: tuple[int, int, int]
    empty_groups: tuple[int, int]
    groups: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One matrix operation, ``out[M, N] = A[M, K] @ B[K, N]`` per time step, group and head.

    A is the activation; B is a static weight, or in an attention product another activation.

    Attributes:
        name: unique within a workload and an order, such as ``blocks.0.attention.q``.
        block: index of the transformer block, None for stem and head.
        branch: ``attention``, ``mlp``, ``mixer``, ``stem`` or ``head``.
        kind: ``masking`` multiplies spikes entry by entry and ``sum`` adds spikes up, both without
            a MAC: K entries of A make one of M.
        order: for an attention product, whether the code executes this product or the papers
            publish it; ``both`` for all other operations. A price takes one order, never both.
        m, k, n: rows (tokens or output positions), summed dimension, columns; per time step,
            group and head, for one sample.
        groups: convolution groups, 1 elsewhere. heads: attention heads, 1 elsewhere.
        time_steps: how often the product is done in one inference; 1 where time was averaged out.
        a_class, b_class: what the operands hold; ``integer`` is a count of spikes, an entry of
            ``ternary`` is -1, 0 or 1.
        a_bits, b_bits: bits of an entry: 1 where binary, 2 where ternary, as many as the largest
            count needs where integer, and one for the sign if there is one, 32 where real; of a
            static weight those to which it was rounded, 32 as it was trained.
        a_nonzeros: nonzero entries of A. a_events: sum of A's spike counts; an integer n is n
            events, and so is -n. 0 where A is real. a_size: entries of A. All summed over samples
            and time.
        b_nonzeros, b_events, b_size: the same of B; of a static weight ``b_nonzeros`` and
            ``b_size`` count the matrix once, not per sample, and ``b_events`` is 0.
        b_row_max, b_column_max: of a static weight, the most nonzeros in a row of B (what an input
            reaches) and in a column (what an output sums up); 0 of an activation.
        events_per_step, nonzeros_per_step: ``a_events`` and ``a_nonzeros`` by time step.
        a_events_std: standard deviation over samples of the events per sample.
        dense_macs: multiply-accumulates of the dense product, M K N per step, group and head.
            At the border of a convolution the padding counts, as in every FLOP counter.
        fanout_sops: events times dense fan-out, exact at borders and strides. Of an attention
            product: events of its binary operand times the width of the other.
        effective_sops: synaptic operations in which event and weight are both nonzero. Of an
            attention product: coincidences, both operands nonzero.
        effective_sops_per_step: the same by time step.
        effective_sops_std: standard deviation over samples of the count per sample.
        real_macs: dense MACs where A is real, else 0.
        norm_folded: whether a batch norm behind the product is folded into its weights.
        neurons: spiking neurons that this product drives, per sample; 0 if it drives none.
        updates_active: neuron updates in whose step the product was not zero. Where several
            products are summed before a neuron, it belongs to the last, and all are active.
        updates_inactive: the other updates; the two add up to samples x time steps x neurons.
        output_spikes: spikes of those neurons. output_spikes_std: standard deviation over samples
            of the spikes per sample.
        producers: names of the operations whose neurons feed A (and B).
        activity: see there; None where it was not asked for.
    """

    name: str
    kind: Kind
    block: int | None
    branch: str
    order: Orders = "both"
    m: int
    k: int
    n: int
    groups: int = 1
    heads: int = 1
    time_steps: int
    geometry: Geometry | None = None
    a_class: OperandClass
    b_class: SecondClass
    a_bits: int
    b_bits: int
    a_size: int
    a_nonzeros: int
    a_events: int
    b_size: int
    b_nonzeros: int
    b_events: int = 0
    b_row_max: int = 0
    b_column_max: int = 0
    events_per_step: tuple[int, ...]
    nonzeros_per_step: tuple[int, ...]
    a_events_std: float
    dense_macs: int
    fanout_sops: int
    effective_sops: int
    effective_sops_per_step: tuple[int, ...]
    effective_sops_std: float
    real_macs: int
    norm_folded: bool = False
    neurons: int = 0
    updates_active: int = 0
    updates_inactive: int = 0
    output_spikes: int = 0
    output_spikes_std: float = 0.0
    producers: tuple[str, ...] = ()
    activity: Activity | None = None

    def __post_init__(self) -> None:
        where = f"op {self.name!r}"
        self._check_words(where)
        self._check_counts(where)
        self._check_steps(where)
        for part, whole in (
            ("effective_sops", "fanout_sops"),
            ("a_nonzeros", "a_size"),
        ):
            if getattr(self, part) > getattr(self, whole):
                raise InputError(
                    where,
                    f"{part} {getattr(self, part)} exceeds {whole} {getattr(self, whole)}",
                )

    def _check_words(self, where: str) -> None:
        for name, words in _WORDS.items():
            word = getattr(self, name)
            if word not in words:
                raise InputError(where, f"{name} is {word!r}", name=str(word), candidates=words)

    def _check_counts(self, where: str) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type in ("int", "tuple[int, ...]"):
                counts = value if isinstance(value, tuple) else (value,)
                if any(type(count) is not int or count < 0 for count in counts):
                    raise InputError(where, f"{field.name} is {value!r}", "whole counts >= 0")
            if field.type == "float" and not value >= 0:
                raise InputError(where, f"{field.name} is {value}", "a number >= 0")
        least = (self.m, self.groups, self.heads, self.time_steps, self.a_bits, self.b_bits)
        if min(least) < 1:
            raise InputError(where, "M, groups, heads, time_steps or bits is 0", "at least 1")

    def _check_steps(self, where: str) -> None:
        for total, parts in (
            ("a_events", self.events_per_step),
            ("a_nonzeros", self.nonzeros_per_step),
            ("effective_sops", self.effective_sops_per_step),
        ):
            if len(parts) != self.time_steps or sum(parts) != getattr(self, total):
                raise InputError(
                    where,
                    f"{total} by step is {parts}",
                    f"{self.time_steps} counts that add up to {getattr(self, total)}",
                )

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Op:
        """The Op that ``dataclasses.asdict`` made, also where JSON turned tuples into lists."""
        values = {key: _tuples(value) for key, value in data.items()}
        for name, kind in (("geometry", Geometry), ("activity", Activity)):
            if values.get(name):
                values[name] = kind(**{k: _tuples(v) for k, v in data[name].items()})
        return cls(**values)


def _tuples(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_WORDS = {
    "kind": get_args(Kind),
    "order": get_args(Orders),
    "a_class": get_args(OperandClass),
    "b_class": get_args(SecondClass),
}
