"""A NIR file as a `Graph`; graphs within the graph are dissolved into it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import nir

from autoprune.errors import InputError
from autoprune.networks.nir.extension import EXTENSIONS
from autoprune.networks.nir.file import read_tree
from autoprune.networks.nir.graph import Graph

PRIMITIVES = frozenset(
    (
        *("Input", "Output", "Affine", "Linear", "Scale", "Conv1d", "Conv2d", "Flatten"),
        *("AvgPool2d", "SumPool2d", "Delay", "Threshold"),
        *("IF", "LIF", "CubaLIF", "I", "LI", "CubaLI"),
    )
)
"""The types of nodes that NIR 1.0 has; a NIRGraph, which holds others, beside."""


def read_graph(file: Path) -> Graph:
    """The graph of a NIR file; nodes of a graph within it are called ``outer.inner``.

    Raises FileError where the file cannot be read, and InputError where what it holds is no graph
    that can be run; nodes of unknown types are named.
    """
    tree = read_tree(file)
    reader = _Reader(str(file))
    reader.add(tree, "")
    if reader.unknown:
        raise InputError(str(file), f"unknown nodes {', '.join(reader.unknown)}", _KNOWN)
    passing = {name for name in reader.inner if reader.kind(name) in ("Input", "Output")}
    for name in passing:  # they only pass signals on
        before = [first for first, second in reader.edges if second == name]
        after = [second for first, second in reader.edges if first == name]
        reader.edges = [pair for pair in reader.edges if name not in pair]
        reader.edges += [(first, second) for first in before for second in after]
    return Graph(
        where=str(file),
        nodes={name: n for name, n in reader.nodes.items() if name not in passing},
        edges=tuple(reader.edges),
        metadata=tree.get("metadata", {}),
    )


_KNOWN = f"primitives of NIR ({', '.join(sorted(PRIMITIVES))}) and extension nodes of autoprune"


@final
class _Reader:
    """Nodes and edges of a graph and of those within it.

    Attributes:
        nodes, edges: so far. inner: nodes of graphs within. unknown: of no known type, in words.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self.inner: list[str] = []
        self.unknown: list[str] = []

    def kind(self, name: str) -> str:
        return type(self.nodes[name]).__name__

    def add(self, tree: Mapping[str, Any], prefix: str) -> tuple[list[str], list[str]]:
        """Add a graph; its nodes Input and Output."""
        inner = tree.get("nodes")
        if tree.get("type") != "NIRGraph" or not isinstance(inner, dict) or not inner:
            given = f"{prefix[:-1]!r} holds" if prefix else "holds"
            raise InputError(self.where, f"{given} no graph of nodes")
        entries: dict[str, list[str]] = {}
        exits: dict[str, list[str]] = {}
        inputs, outputs = [], []
        for name, values in inner.items():
            path = prefix + name
            if not isinstance(values, dict) or not isinstance(values.get("type"), str):
                raise InputError(self.where, f"node {path!r} has no type")
            if values["type"] == "NIRGraph":
                entries[name], exits[name] = self.add(values, f"{path}.")
                continue
            entries[name] = exits[name] = [path]
            self.node(path, values)
            self.inner += [path] if prefix else []
            inputs += [path] if values["type"] == "Input" else []
            outputs += [path] if values["type"] == "Output" else []
        for first, second in _pairs(self.where, tree.get("edges")):
            self.edges += [
                (a, b)
                for a in exits.get(first, [prefix + first])
                for b in entries.get(second, [prefix + second])
            ]
        return inputs, outputs

    def node(self, path: str, values: dict[str, Any]) -> None:
        kind, where = values["type"], f"{self.where}: node {path!r}"
        if path in self.nodes:
            raise InputError(where, "stands twice")
        if kind not in PRIMITIVES and kind not in EXTENSIONS:
            self.unknown.append(f"{path!r} ({kind})")
            return
        try:
            if kind in EXTENSIONS:
                self.nodes[path] = EXTENSIONS[kind].from_dict(dict(values))
            else:
                self.nodes[path] = nir.dict2NIRNode(dict(values))
        except Exception as error:  # what a node's own checks raise, and missing or unknown values
            said = str(error) or type(error).__name__
            raise InputError(where, f"is no {kind} ({said})") from error


def _pairs(where: str, edges: object) -> list[tuple[str, str]]:
    """Edges as pairs of names; a list of such lists in the file."""
    if not isinstance(edges, list) or not all(len(pair) == 2 for pair in edges):
        raise InputError(where, "holds no edges", "pairs of names of nodes")
    return [(str(first), str(second)) for first, second in edges]
