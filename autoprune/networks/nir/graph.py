"""A NIR graph: nodes, edges and the order in which they run, checked when it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from autoprune.errors import InputError

POSITIVE = ("tau", "tau_mem", "tau_syn")
"""What has to be above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A graph without a cycle from one Input to one or more Outputs.

    Attributes:
        where: the file, for errors.
        nodes: of the package ``nir`` and of `extension`, by name.
        edges: from and to, in the order of the file, in which signals are added up.
        metadata: of the graph, such as the length of a time step.

    Raises InputError where it is no such graph, or a number in it is not finite.
    """

    where: str
    nodes: Mapping[str, Any]
    edges: tuple[tuple[str, str], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for pair in self.edges:
            for name in pair:
                if name not in self.nodes:
                    given = f"the edge {pair[0]} -> {pair[1]} names no node {name!r}"
                    raise InputError(self.where, given, name=name, candidates=self.nodes)
        for (first, second), times in Counter(self.edges).items():
            if times > 1:
                raise InputError(self.where, f"the edge {first} -> {second} stands {times} times")
        inputs, outputs = self.named("Input"), self.named("Output")
        if len(inputs) != 1 or not outputs:
            given = f"{len(inputs)} nodes Input and {len(outputs)} nodes Output"
            raise InputError(self.where, given, "one Input, and an Output")
        for name, node in self.nodes.items():
            self._check(name, node)
        self.order()

    def named(self, kind: str) -> list[str]:
        """The nodes of a type."""
        return [name for name, node in self.nodes.items() if type(node).__name__ == kind]

    def before(self, name: str) -> list[str]:
        """The nodes from which an edge leads to this one."""
        return [first for first, second in self.edges if second == name]

    def order(self) -> tuple[str, ...]:
        """Every node after those before it; InputError where a cycle has no such order."""
        sorter = TopologicalSorter({name: self.before(name) for name in self.nodes})
        try:
            return tuple(sorter.static_order())
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))
            raise InputError(
                self.where, f"a cycle, {circle}", "a graph without feedback between nodes"
            ) from error

    def _check(self, name: str, node: Any) -> None:
        where = f"{self.where}: node {name!r}"
        if type(node).__name__ != "Input" and not self.before(name):
            raise InputError(where, "no edge leads to it")
        if type(node).__name__ == "Input" and self.before(name):
            raise InputError(where, "an edge leads to an Input")
        for key, value in vars(node).items():
            values = np.asarray(value) if isinstance(value, np.ndarray | float) else None
            if values is None or values.dtype.kind != "f":
                continue
            if not np.isfinite(values).all():
                raise InputError(where, f"{key} holds a value that is not finite")
            if key in POSITIVE and not (values > 0).all():
                raise InputError(where, f"{key} is {values.min():.6g}", "a number above 0")
        kind = type(node).__name__
        if kind == "AutopruneProduct" and sorted(self.before(name)) != sorted(
            (node.left, node.right)
        ):
            raise InputError(where, "its edges are not those of its two operands")
