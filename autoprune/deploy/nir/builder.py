"""A graph of NIR in the making: its nodes, and what the tensors of a pass are in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, final

import nir
import numpy as np
from torch import Tensor

from autoprune.deploy.nir.nodes import NotHeld, Numbers, Shape
from autoprune.networks.nir import extension


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a tensor of the pass is in the graph: the sum of what some nodes emit.

    Attributes:
        sources: these nodes, with the shapes that their outputs have.
        shape: in which it is read. constant: what is added to it.
        spikes: whether it is what one layer of neurons emits.
        averaged: whether it is a mean over time.
    """

    sources: tuple[tuple[str, Shape], ...]
    shape: Shape
    constant: Numbers | None = None
    spikes: bool = False
    averaged: bool = False

    def viewed(self, shape: Shape) -> Signal:
        """The same in another shape."""
        held = self.constant
        return replace(self, shape=shape, constant=None if held is None else held.reshape(shape))


@final
@dataclass(slots=True)
class Builder:
    """The graph so far.

    Attributes:
        nodes, edges: of the graph.
        signals: what tensors are, by their identity; they are held, so that it stays their own.
        reshaped: nodes that only give another node's output another shape.
    """

    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    signals: dict[int, tuple[Tensor, Signal]] = field(default_factory=dict)
    reshaped: dict[tuple[str, Shape], str] = field(default_factory=dict)

    def keep(self, tensor: Tensor, signal: Signal) -> None:
        """Note what a tensor is."""
        self.signals[id(tensor)] = (tensor, signal)

    def known(self, value: Any) -> Signal | None:
        """The signal of a tensor; None of anything else."""
        return self.signals[id(value)][1] if id(value) in self.signals else None

    def name(self, path: str) -> str:
        """A new node's, after the path of a module; dots are not allowed everywhere."""
        stem = path.replace(".", "_").strip("_") or "network"
        name, place = stem, 1
        while name in self.nodes or name in ("input", "output"):
            place += 1
            name = f"{stem}_{place}"
        return name

    def feed(self, name: str, node: Any, signal: Signal) -> None:
        """Add a node that takes a signal in its shape; NotHeld where a constant is added to it."""
        if signal.constant is not None:
            raise NotHeld(f"a constant is added to the input of {name}; only neurons take one")
        self.nodes[name] = node
        self.edges += [(self._as(source, signal.shape), name) for source in signal.sources]

    def single(self, path: str, signal: Signal) -> str:
        """The one node that emits a signal in its shape; where several do, a new one adds up."""
        if len(signal.sources) == 1 and signal.constant is None:
            return self._as(signal.sources[0], signal.shape)
        name = self.name(f"{path}.sum")
        self.feed(name, extension.AutopruneReshape(shape=np.array(signal.shape)), signal)
        return name

    def _as(self, source: tuple[str, Shape], shape: Shape) -> str:
        """The node that emits what `source` does in this shape."""
        name, own = source
        if own == shape:
            return name
        if (name, shape) not in self.reshaped:
            new = self.name(f"{name}_as_{'x'.join(map(str, shape))}")
            self.reshaped[name, shape] = new
            self.nodes[new] = _flatten(own, shape)
            self.edges.append((name, new))
        return self.reshaped[name, shape]


def _flatten(own: Shape, shape: Shape) -> Any:
    """A Flatten from one shape to another where one does it, else a reshape."""
    gone = len(own) - len(shape)
    for start in range(len(shape)):
        end = start + gone
        if gone > 0 and (*own[:start], math.prod(own[start : end + 1]), *own[end + 1 :]) == shape:
            return nir.Flatten(np.array(own), start, -1 if end == len(own) - 1 else end)
    return extension.AutopruneReshape(shape=np.array(shape))
