"""Trace: where a tensor comes from, carried along with it through a forward pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from torch import Tensor

from autoprune.workload.census.touched import Touched
from autoprune.workload.census.values import Values

_ATTRIBUTE = "_autoprune_trace"


class Contents:
    """What some memory holds, known to every view of it; None where that is not known.

    Attributes:
        values: of all of it. A view of binary entries is binary; of others it may be anything.
    """

    __slots__ = ("values",)

    def __init__(self, values: Values | None = None) -> None:
        self.values = values


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of a tensor.

    Attributes:
        weight: name of the parameter that it is, or is a view of.
        producers: operations whose neurons' spikes are in it.
        drivers: operations whose products are in it, not yet taken by a neuron.
        real: whether it holds real numbers by construction: pixels, products, means. Else what it
            holds is read off the data.
        touched: where `drivers` is one operation, the entries at which its product is not 0.
        factors: A, B and A @ B where it is ``s A @ B`` of activations, with a number s.
        logic: the elementwise operation on spikes whose result it is.
        contents: of the memory that it is a view of.
    """

    weight: str | None = None
    producers: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    real: bool = False
    touched: Touched | None = None
    factors: tuple[Tensor, Tensor, Tensor] | None = None
    logic: str | None = None
    contents: Contents = field(default_factory=Contents, compare=False)

    @property
    def is_activation(self) -> bool:
        """Whether it depends on what the network was shown, unlike a parameter or a constant."""
        return bool(self.producers or self.drivers or self.real)

    @property
    def is_spikes(self) -> bool:
        """Whether it holds nothing but spikes and their sums."""
        return bool(self.producers) and not self.drivers and not self.real


def trace_of(value: object) -> Trace | None:
    """The trace of a tensor; None of anything else, and of a constant."""
    return getattr(value, _ATTRIBUTE, None)


def mark(value: Tensor, trace: Trace) -> None:
    """Let `value` carry `trace`."""
    setattr(value, _ATTRIBUTE, trace)


def merged(traces: list[Trace]) -> Trace:
    """The trace of what was made of several: a sum, a concatenation, or one seen differently.

    A parameter that is added, such as a bias or a position, changes nothing.
    """
    active = [trace for trace in traces if trace.weight is None]
    if not active:
        return traces[0]
    moved = [trace for trace in active if trace.drivers]
    return Trace(
        producers=union(trace.producers for trace in active),
        drivers=union(trace.drivers for trace in active),
        real=any(trace.real for trace in active),
        touched=moved[0].touched if len(moved) == 1 else None,
    )


def union(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Names of several lists, each once, in their order."""
    return tuple(dict.fromkeys(name for some in names for name in some))
