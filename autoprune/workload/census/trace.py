"""Trace: where a tensor comes from, carried along with it through a forward pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from torch import Tensor

from autoprune.workload.census.axes import Axes
from autoprune.workload.census.contraction import Entrywise, Pair
from autoprune.workload.census.entry import Entry, Factors
from autoprune.workload.census.values import Values

T = TypeVar("T")
_ATTRIBUTE = "_autoprune_trace"


@dataclass(slots=True, eq=False)
class Root:
    """A tensor of which others are made entry by entry, with constants, such as a membrane.

    Attributes:
        emission: what was emitted last, if it is one.
    """

    emission: Emission | None = None


@dataclass(slots=True, eq=False)
class Emission:
    """Whole numbers that an operator made of real ones: spikes, if anything reads them.

    Attributes:
        path: the module that did it.
        owner: the operation whose products they were made of; None where there is none.
        spikes: what was emitted.
        axes: of `spikes`.
        root: the membrane of which they were made. Several comparisons of one are one neuron.
        number: of the emissions in their order.
        whole: the emission of which this is a part, such as spikes of one sign.
        is_counted: whether it is.
    """

    path: str
    owner: Entry | None
    spikes: Tensor
    axes: Axes
    root: Root
    number: int
    whole: Emission | None = None
    is_counted: bool = False


@dataclass(slots=True, eq=False)
class Sum:
    """Spikes that are added up: an operation, if neurons take their sum.

    Attributes:
        spikes: that are added up.
        dims: over which axes.
        entry: of the operation, once it is counted.
    """

    spikes: Traced
    dims: tuple[int, ...]
    entry: Entry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of a tensor that depends on what the network is shown.

    Attributes:
        producers: operations whose neurons' spikes are in it.
        drivers: operations whose products are in it, not yet taken by a neuron.
        emitted: spikes in it that no module known for its neurons emitted.
        shown: whether it holds real numbers that the network was shown, such as pixels. Else what
            it holds is read off the data.
        touched: where `drivers` is one operation, the entries at which its product is not 0; see
            `autoprune.workload.census.touched`.
        factors: of the one product of activations that it was made of.
        logic: masks and sums of spikes that are in it, by their operations where these are counted.
        axes: where time, samples and channels lie.
        unit: what one spike is in it, as far as its way tells; its data may say otherwise.
        pair: the two of which it is the product entry by entry.
        products: such products that it is made of, of which no sum was taken.
        held: what its memory held at a version of it; a view of binary entries is binary.
        root: what it was made of entry by entry; None where it is not known.
    """

    producers: tuple[Entry | str, ...] = ()
    drivers: tuple[Entry, ...] = ()
    emitted: tuple[Emission, ...] = ()
    shown: bool = False
    touched: Tensor | None = None
    factors: Factors | None = None
    logic: tuple[Entry | Sum, ...] = ()
    axes: Axes = field(default_factory=Axes)
    unit: float | None = None
    pair: Pair | None = None
    products: tuple[Entrywise, ...] = ()
    held: tuple[Values, float] | None = None
    root: Root | None = None

    @property
    def is_spikes(self) -> bool:
        """Whether it holds nothing but spikes and their sums, as far as is known."""
        return not self.drivers and not self.shown


Traced = tuple[Tensor, Trace]


def trace_of(value: object) -> Trace | None:
    """The trace of a tensor; None of anything else, and of what does not depend on the input."""
    return getattr(value, _ATTRIBUTE, None)


def mark(value: Tensor, trace: Trace) -> None:
    """Let `value` carry `trace`."""
    setattr(value, _ATTRIBUTE, trace)


def merged(traces: list[Trace], axes: Axes) -> Trace:
    """The trace of what was made of several: a sum, a concatenation, or one seen differently."""
    moved = [trace for trace in traces if trace.drivers]
    factors = {t.factors.entry: t.factors for t in traces if t.factors is not None}
    return Trace(
        producers=union(trace.producers for trace in traces),
        drivers=union(trace.drivers for trace in traces),
        emitted=union(trace.emitted for trace in traces),
        shown=any(trace.shown for trace in traces),
        touched=moved[0].touched if len(moved) == 1 else None,
        factors=factors.popitem()[1] if len(factors) == 1 else None,
        logic=union(trace.logic for trace in traces),
        axes=axes,
    )


def union(several: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """What several lists hold, each once, in their order."""
    return tuple(dict.fromkeys(one for some in several for one in some))
