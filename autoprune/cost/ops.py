"""Ops: the operations of one workload or of many as columns, which a machine's rules read.

One row is one operation; a rule is arithmetic on columns, so that one trial and five hundred are
priced by the same code and to the same bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import final

import numpy as np

from autoprune.errors import InputError
from autoprune.workload.arrays import column
from autoprune.workload.columns import COLUMNS, MEANS, SECOND, Column, Pattern, WeightFormat, sizes
from autoprune.workload.op import Order
from autoprune.workload.workload import Workload


@final
class Ops:
    """Columns of operations, sorted by workload; read as attributes, such as ``ops.a_events``.

    `autoprune.workload.columns` lists the columns; what each counts is said where an Op holds it,
    in `autoprune.workload.parts`. Words, sizes and bits are as there. Counts are means per
    inference in float64; those of a static weight are the matrix's own. Columns by step are
    [rows, T], zero behind the last step. ``silent``, ``windows``
    [rows, 3], ``empty_groups`` and ``row_groups`` [rows, 2] are those of
    `autoprune.workload.parts.Activity`, as means per inference.

    Attributes:
        workload: index of each row's workload. workloads: how many there are.
        steps: time steps of each workload. uncounted: dense MACs per inference that it does not
            count.

    Raises InputError, by name, for a column that no workload carries, or that these lack.
    """

    def __init__(
        self,
        load: Callable[[str], Column],
        workload: Column,
        samples: Column,
        steps: Column,
        uncounted: Column,
    ) -> None:
        """The columns that `load` gives as totals over samples.

        Args:
            load: gives one of COLUMNS by name; called once for each that is read.
            workload: as above.
            samples: of each workload.
            steps: as above.
            uncounted: as above.
        """
        self._load, self._samples = load, samples
        self.workload, self.workloads = workload, len(steps)
        self.steps, self.uncounted = steps, uncounted
        self._kept: dict[str, Column] = {}

    @classmethod
    def of(cls, workloads: Sequence[Workload]) -> Ops:
        """The operations of workloads, attention in both orders."""
        ops = [op for workload in workloads for op in workload.ops]
        return cls(
            lambda name: column(ops, name),
            np.repeat(np.arange(len(workloads)), [len(w.ops) for w in workloads]),
            np.array([w.samples for w in workloads], dtype=np.int64),
            np.array([w.time_steps for w in workloads], dtype=np.int64),
            np.array([sum(u.dense_macs for u in w.uncounted) / w.samples for w in workloads]),
        )

    def __len__(self) -> int:
        return len(self.workload)

    def __getattr__(self, name: str) -> Column:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._kept:
            self._kept[name] = _frozen(self._made(name))
        return self._kept[name]

    def take(self, rows: Column) -> Ops:
        """The rows where `rows` is true."""
        chosen = np.flatnonzero(rows)
        return self._like(lambda name: self._raw(name)[chosen], self.workload[chosen])

    def select(self, order: Order) -> Ops:
        """The operations of one inference, attention products in `order`."""
        return self.take((self.order == "both") | (self.order == order))

    def without_neurons(self) -> Ops:
        """The same operations, with nothing that neurons do."""
        gone = ("neurons", "updates_active", "updates_inactive", "output_spikes")

        def load(name: str) -> Column:
            raw = self._raw(name)
            return np.zeros_like(raw) if name in gone else raw

        return self._like(load, self.workload)

    def with_macs(self, rows: Column) -> Ops:
        """The same operations, with a MAC for every synaptic operation of those rows."""

        def load(name: str) -> Column:
            raw = self._raw(name)
            if name == "real_macs":
                return np.where(rows, self._raw("fanout_sops"), raw)
            if name in ("fanout_sops", "effective_sops", "effective_sops_per_step"):
                return np.where(rows.reshape(-1, *[1] * (raw.ndim - 1)), 0, raw)
            return raw

        return self._like(load, self.workload)

    def total(self, counts: Column) -> Column:
        """Sum of a row's value over each workload, exactly rounded."""
        values = counts.tolist()
        return np.array([math.fsum(values[a:b]) for a, b in self.spans()])

    def spans(self) -> Iterator[tuple[int, int]]:
        """First row of each workload, and the row behind its last."""
        ends = np.searchsorted(self.workload, np.arange(self.workloads + 1))
        return pairwise(ends.tolist())

    def most(self, values: Column) -> Column:
        """Largest of a column [rows, ...] in each workload; 0 in one without rows."""
        found = np.zeros((self.workloads, *values.shape[1:]))
        present, starts = np.unique(self.workload, return_index=True)
        if len(present):
            found[present] = np.maximum.reduceat(values, starts)
        return found

    @property
    def first(self) -> Column:
        """Whether a row is the first of its workload, which reads the network's input."""
        return np.diff(self.workload, prepend=-1) > 0

    @property
    def last(self) -> Column:
        """Whether a row is the last of its workload, which makes the network's output."""
        return np.diff(self.workload, append=self.workloads) > 0

    @property
    def static(self) -> Column:
        """Whether B is a static weight."""
        return self.b_class == "weight"

    @property
    def density(self) -> Column:
        """Share of nonzero weights; 1 where B is no static weight or has none at all."""
        known = self.static & (self.b_size > 0)
        return np.divide(self.b_nonzeros, self.b_size, out=np.ones(len(self)), where=known)

    @property
    def positions(self) -> Column:
        """Positions of each layer's kernel; 1 where it has none."""
        return np.array([math.prod(g.kernel) if g is not None else 1 for g in self.geometry])

    @property
    def accumulator_bits(self) -> Column:
        """Bits that no sum of a column of B overflows; 32 where an operand has 32, or for more."""
        return self._sum_of(self.b_bits)

    def _sum_of(self, b_bits: Column) -> Column:
        exact = self.a_bits + b_bits + _log2(np.maximum(self.k, 1))
        return np.where((self.a_bits == 32) | (b_bits == 32), 32, exact).clip(max=32)

    def obeys(self, pattern: Pattern) -> Column:
        """Whether B is a static weight whose zeros are by a pattern, whatever made them so."""
        n, m = sizes(pattern)
        most: Column = getattr(self, f"b_max_of_{m}")
        return self.static & (most <= n)

    def storage(self, weight_format: WeightFormat, bits: Column | float) -> Column:
        """Bits that a static weight takes with entries of so many bits; 0 of an activation.

        ``dense``: every entry. ``bitmap``: a bit per entry, and the nonzero entries. ``csr``: every
        nonzero entry with its column, and a pointer for each of the K rows of a group and one more.
        ``N:M``: N of M entries, each with log2(M) bits that say which of M it is; no matrix that
        obeys no such pattern can be held so, and takes infinitely many.
        """
        if weight_format == "dense":
            taken = self.b_size * bits
        elif weight_format == "bitmap":
            taken = self.b_size + self.b_nonzeros * bits
        elif weight_format == "csr":
            entry, rows = bits + _log2(np.maximum(self.n, 1)), (self.k + 1) * self.groups
            taken = self.b_nonzeros * entry + rows * _log2(self.b_nonzeros + 1)
        else:
            n, m = sizes(weight_format)
            entries = self.b_size * n / m
            taken = np.where(self.obeys(weight_format), entries * (bits + math.log2(m)), math.inf)
        return np.where(self.static, taken, 0.0)

    @property
    def input_bits(self) -> Column:
        """Bits of A per inference, each entry moved once."""
        return self.a_size * self.a_bits

    @property
    def sum_bits(self) -> Column:
        """Bits of the partial sums of an inference, each written once."""
        products = self.groups * self.heads * self.time_steps
        return self.m * self.n * products * self.accumulator_bits

    @property
    def output_bits(self) -> Column:
        """Bits that go on to the next operation: a spike per neuron and step, or the sums."""
        return np.where(self.neurons > 0, self.neurons * self.time_steps, self.sum_bits)

    def state_bits(self, weight_bits: Column) -> Column:
        """Bits of membranes, held from step to step, of a machine with weights of so many bits.

        One per neuron, of the bits of `accumulator_bits`.
        """
        return self.neurons * self._sum_of(weight_bits)

    def _like(self, load: Callable[[str], Column], workload: Column) -> Ops:
        return Ops(load, workload, self._samples, self.steps, self.uncounted)

    def _raw(self, name: str) -> Column:
        key = f" {name}"
        if key not in self._kept:
            self._kept[key] = _frozen(self._load(name))
        return self._kept[key]

    def _made(self, name: str) -> Column:
        if name not in COLUMNS:
            raise InputError(
                "a cost rule",
                f"asks for {name!r}, which no workload carries",
                name=name,
                candidates=COLUMNS,
            )
        raw = self._raw(name)
        if name in MEANS:
            samples = self._samples[self.workload]
            return raw / samples.reshape(-1, *[1] * (raw.ndim - 1))
        if name in SECOND:
            return np.where(self.static, raw, raw / self._samples[self.workload])
        return raw


def _frozen(column: Column) -> Column:
    """The column, which no rule can change for the next one that reads it."""
    column.flags.writeable = False
    return column


def _log2(values: Column) -> Column:
    """Bits that tell so many things apart."""
    return np.ceil(np.log2(values))
