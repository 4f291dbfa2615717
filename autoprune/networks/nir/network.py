"""A NIR graph as a network that runs step by step, on which the census counts."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
import torch
from spikingjelly.activation_based import base
from torch import Tensor, nn

from autoprune.errors import InputError
from autoprune.networks.nir.graph import Graph
from autoprune.networks.nir.layers import LAYERS, Product
from autoprune.networks.nir.neurons import NirNeuron

STEP_S = 1e-4
"""Seconds of a time step where a graph does not say it: spikingjelly's and snnTorch's."""


@final
class NirNetwork(nn.Module):
    """The network of a graph.

    Args:
        graph: what it does.
        time_steps: T.
        dt: seconds of a time step; those of the graph's metadata, else `STEP_S`, where None.

    Attributes:
        T, time_axis: as the census asks for them.
        modules_of: the module of each node, by the node's name.

    Shapes: [T, B, *shape of the Input] -> [T, B, *shape of the Output], a tuple where there are
    several. Axes of length 1 may stand between B and the shape.

    Raises InputError where a node cannot be run, which names it; also while it runs, where shapes
    do not meet.
    """

    time_axis = 0

    def __init__(self, graph: Graph, time_steps: int, dt: float | None = None) -> None:
        super().__init__()
        self.graph, self.T = graph, time_steps
        self.dt = float(graph.metadata.get("dt", STEP_S)) if dt is None else dt
        if not (math.isfinite(self.dt) and self.dt > 0):
            raise InputError(graph.where, f"steps of {self.dt} s", "a time above 0")
        self.order = graph.order()
        self.before = {name: tuple(graph.before(name)) for name in self.order}
        [entry] = graph.named("Input")
        self.shape = tuple(int(n) for n in np.atleast_1d(graph.nodes[entry].input_type["input"]))
        self.modules_of: dict[str, nn.Module] = {}
        for name in self.order:
            self.exchange(name, self._module(name, graph.nodes[name]))

    def exchange(self, name: str, module: nn.Module) -> None:
        """Let another module do what a node does."""
        self.modules_of[name] = module
        self.add_module(name.replace(".", "_"), module)

    def _module(self, name: str, node: Any) -> nn.Module:
        kind, where = type(node).__name__, f"{self.graph.where}: node {name!r}"
        try:
            if kind in ("IF", "LIF", "CubaLIF", "I", "LI", "CubaLI"):
                return NirNeuron(node, self.dt)
            if kind == "Delay":
                return Delay(node, self.dt)
            module: nn.Module = LAYERS[kind](node)
            return module
        except Exception as error:  # torch's own checks of what a layer is built from, too
            raise InputError(where, f"is no {kind} that runs: {error}") from error

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """See the class."""
        given: dict[str, Tensor] = {}
        for name in self.order:
            module = self.modules_of[name]
            inputs = [given[n] for n in self.before[name]]
            if not inputs:
                given[name] = x.reshape(*x.shape[:2], *self.shape)
                continue
            if isinstance(module, Product):
                inputs = [given[module.left], given[module.right]]
            else:
                inputs = [self._sum(name, inputs)]
            if isinstance(module, NirNeuron) and not _meets(inputs[0], module):
                raise self._refused(name, inputs, f"holds neurons {list(module.shape)}")
            try:
                given[name] = module(*inputs)
            except RuntimeError as error:
                raise self._refused(name, inputs, str(error).partition("\n")[0]) from error
        out = tuple(given[name] for name in self.graph.named("Output"))
        return out[0] if len(out) == 1 else out

    def _sum(self, name: str, inputs: list[Tensor]) -> Tensor:
        """What several edges bring is added up, in their order."""
        total = inputs[0]
        for other in inputs[1:]:
            if other.shape != total.shape:
                shapes = " and ".join(str(list(x.shape[2:])) for x in (total, other))
                raise InputError(
                    f"{self.graph.where}: node {name!r}", f"edges bring signals of {shapes}"
                )
            total = total + other
        return total

    def _refused(self, name: str, inputs: list[Tensor], why: str) -> InputError:
        shapes = " and ".join(str(list(x.shape[2:])) for x in inputs)
        return InputError(f"{self.graph.where}: node {name!r}", f"given a signal {shapes}: {why}")


def _meets(x: Tensor, neurons: NirNeuron) -> bool:
    """Whether there is a neuron for each value; one set of numbers may hold for all."""
    return x.shape[2:] == neurons.shape or math.prod(neurons.shape) == 1


@final
class Delay(base.MemoryModule):
    """A signal later by a number of steps of its own for every value; 0 before it begins."""

    steps: Tensor

    def __init__(self, node: Any, dt: float) -> None:
        super().__init__()
        steps = np.asarray(node.delay, dtype=np.float64) / dt
        if (steps < 0).any() or not np.allclose(steps, steps.round(), atol=1e-3):
            raise ValueError("delays that are no whole number of steps of --dt")
        self.register_buffer("steps", torch.as_tensor(steps.round(), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """[T, B, ...] -> [T, B, ...]."""
        out = torch.zeros_like(x)
        for late in self.steps.unique().tolist():
            if late < len(x):
                kept = x[: len(x) - late] * (self.steps == late)
                out[late:] = out[late:] + kept
        return out
