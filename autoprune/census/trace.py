"""Trace: where a tensor comes from, carried along with it through a forward pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

_ATTRIBUTE = "_autoprune_trace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of a tensor.

    Attributes:
        weight: name of the parameter that it is, or is a view of.
        producers: operations whose neurons' spikes are in it.
        drivers: operations whose products are in it, not yet taken by a neuron.
        real: whether it holds real numbers by construction: pixels, products, means. Else what it
            holds is read off the data.
        touched: gives, where `drivers` is one operation, the entries at which its product is not 0.
        factors: A and B where it is ``s A @ B`` of activations, with a number s.
        logic: the elementwise operation on spikes whose result it is.
    """

    weight: str | None = None
    producers: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    real: bool = False
    touched: Callable[[], Tensor] | None = None
    factors: tuple[Tensor, Tensor] | None = None
    logic: str | None = None


def trace_of(value: object) -> Trace | None:
    """The trace of a tensor; None of anything else, and of a constant."""
    return getattr(value, _ATTRIBUTE, None)


def mark(value: Tensor, trace: Trace) -> None:
    """Let `value` carry `trace`."""
    setattr(value, _ATTRIBUTE, trace)


def merged(traces: list[Trace]) -> Trace:
    """Of a tensor that was made of several: a sum, a concatenation, or one seen differently.

    A parameter that is added, such as a bias or a position, changes nothing.
    """
    active = [trace for trace in traces if trace.weight is None]
    if not active:
        return traces[0]
    drivers = _union(trace.drivers for trace in active)
    moved = [trace for trace in active if trace.drivers]
    return Trace(
        producers=_union(trace.producers for trace in active),
        drivers=drivers,
        real=any(trace.real for trace in active),
        touched=moved[0].touched if len(moved) == 1 else None,
    )


def _union(names: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in names for name in some))
