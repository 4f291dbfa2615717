"""From the steps of a pass to a graph of NIR.

NIR's signals are those of one step and one sample. What only handles the axes T and B is left out,
so is a mean over time: the graph emits a result for each step, and the network's is their mean,
which may be taken behind linear layers as well as before. Sums become several edges into one node.
A signal keeps the shape that its node gives it until a layer asks for another; then a Flatten
stands between, or, where that cannot do it, an extension node.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import nir
import numpy as np
import torch
from torch import Tensor, nn

from autoprune.deploy.nir import nodes
from autoprune.deploy.nir.builder import Builder, Signal
from autoprune.deploy.nir.nodes import NotHeld, Numbers, Shape
from autoprune.errors import InputError
from autoprune.networks.adapter import Neuron, Weighted
from autoprune.networks.nir import extension
from autoprune.networks.trace import PERMUTES, SAME, VIEWS, Step, trace

ADDS = ("add", "__add__", "__radd__", "__iadd__", "add_")
TIMES = ("mul", "__mul__", "__rmul__", "__imul__", "mul_")
MATMULS = ("matmul", "__matmul__", "bmm")
PARTS = ("chunk", "split")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """What a network is in NIR.

    Attributes:
        nodes, edges: of the graph. neurons: the nodes by the paths of the layers of neurons.
        extended: the extension nodes, by name.
    """

    nodes: Mapping[str, Any]
    edges: tuple[tuple[str, str], ...]
    neurons: Mapping[str, str]
    extended: tuple[str, ...]


def graph_of(network: nn.Module, inputs: Callable[[int], Tensor]) -> Lowered:
    """The graph of a network, of which so many samples are asked for as tell T from B.

    Args:
        network: with its time steps in an attribute T, and batch norm folded.
        inputs: gives samples as it is called with.

    Raises what `lower` does.
    """
    steps = int(network.T)  # type: ignore[arg-type]
    given = inputs(2 if steps != 2 else 3)
    done, out = trace(network, given)
    return lower(done, given, out, steps)


def lower(steps: list[Step], given: Tensor, out: Tensor, time_steps: int) -> Lowered:
    """The graph of what a network did.

    Args:
        steps: of the pass, as `trace` gives them.
        given: what the network was called with: [B, ...], or frames [T, B, ...].
        out: what it returned.
        time_steps: T, other than the number of samples, which is above 1.

    Raises InputError where the network does what neither NIR nor an extension node holds.
    """
    frames = given.ndim == 5
    lowering = _Lowering(time_steps, given.shape[1 if frames else 0])
    shape = tuple(given.shape[2 if frames else 1 :])
    build = lowering.build
    build.nodes["input"] = nir.Input(np.array(shape))
    build.keep(given, Signal(sources=(("input", shape),), shape=shape))
    for step in steps:
        try:
            lowering.step(step)
        except NotHeld as error:
            function = "" if step.module is not None else f": {step.name}"
            raise InputError(f"--nir: {step.path or 'network'}{function}", str(error)) from error
    signal = build.known(out)
    if signal is None or signal.constant is not None:
        raise InputError("--nir", "what the network returns is no signal of its layers")
    build.feed("output", nir.Output(np.array(signal.shape)), signal)
    return Lowered(
        nodes=build.nodes,
        edges=tuple(build.edges),
        neurons=lowering.neurons,
        extended=tuple(
            name for name, node in build.nodes.items() if isinstance(node, extension.Extension)
        ),
    )


@final
class _Lowering:
    """Adds steps to a graph; of each the axes of time and samples are told from the others."""

    def __init__(self, time_steps: int, samples: int) -> None:
        self.time_steps, self.samples = time_steps, samples
        self.build = Builder()
        self.neurons: dict[str, str] = {}

    def lead(self, tensor: Tensor) -> int:
        """How many of its first axes are time and samples."""
        both = ((self.time_steps, self.samples), (1, self.samples))
        return 2 if tuple(tensor.shape[:2]) in both else 1

    def shape(self, tensor: Tensor) -> Shape:
        """Shape of its signal."""
        return tuple(tensor.shape[self.lead(tensor) :])

    def emit(self, tensor: Tensor, name: str, shape: Shape, *, averaged: bool = False) -> None:
        """Note that a tensor is what a node emits in this shape."""
        signal = Signal(sources=((name, shape),), shape=shape, averaged=averaged)
        self.build.keep(tensor, signal.viewed(self.shape(tensor)))

    def step(self, step: Step) -> None:
        """Add what a step does; one that takes none of the signals makes a constant."""
        given = (*step.args, *step.named.values())
        signals = [signal for value in given if (signal := self.build.known(value))]
        if not signals:
            return
        if isinstance(step.module, Neuron):
            self._neurons(step, signals[0])
        elif step.module is not None:
            self._layer(step, signals[0])
        else:
            self._function(step, signals)

    def _function(self, step: Step, signals: list[Signal]) -> None:
        if step.name in SAME:
            self.build.keep(step.out[0], signals[0])
        elif step.name in VIEWS:
            shape = self.shape(step.out[0])
            if math.prod(shape) != math.prod(signals[0].shape):
                raise NotHeld(f"makes {list(shape)} of {list(signals[0].shape)}")
            self.build.keep(step.out[0], signals[0].viewed(shape))
        elif step.name in ADDS:
            self._add(step, signals)
        elif step.name == "mean":
            self._mean(step, signals[0])
        elif step.name in (*TIMES, *MATMULS):
            self._product(step, signals)
        elif step.name in (*PERMUTES, *PARTS, "sum"):
            self._rearrange(step, signals[0])
        else:
            raise NotHeld("neither NIR nor an extension node holds it")

    def _neurons(self, step: Step, signal: Signal) -> None:
        _in_time(signal)
        if step.path in self.neurons:
            raise NotHeld("neurons that are called twice in a pass")
        name = self.build.name(step.path)
        node = nodes.neuron_node(step.module, signal.shape, signal.constant)
        self.build.feed(name, node, replace(signal, constant=None))
        self.neurons[step.path] = name
        emitted = Signal(sources=((name, signal.shape),), shape=signal.shape, spikes=True)
        self.build.keep(step.out[0], emitted)

    def _layer(self, step: Step, signal: Signal) -> None:
        module, out, name = step.module, step.out[0], self.build.name(step.path)
        if isinstance(module, Weighted):
            self.build.feed(name, nodes.weighted_node(module, signal.shape), signal)
        elif isinstance(module, nn.AvgPool2d):
            self.build.feed(name, nir.AvgPool2d(**nodes.pool_arguments(module)), signal)
        elif not isinstance(module, nn.MaxPool2d):
            raise NotHeld("batch norm that cannot be folded into a layer before it")
        else:
            _in_time(signal)
            arguments, shape = nodes.pool_arguments(module), self.shape(out)
            if signal.spikes:  # the largest of spikes is 1 where any is
                self.build.feed(f"{name}_sum", nir.SumPool2d(**arguments), signal)
                signal = Signal(sources=((f"{name}_sum", shape),), shape=shape)
                self.build.feed(name, nir.Threshold(np.full(shape, 0.5, np.float32)), signal)
            else:
                self.build.feed(name, extension.AutoprunePool(**arguments), signal)
        self.emit(out, name, self.shape(out), averaged=signal.averaged)

    def _add(self, step: Step, signals: list[Signal]) -> None:
        out, shape = step.out[0], self.shape(step.out[0])
        if any(signal.shape != shape for signal in signals) or step.named.get("alpha", 1) != 1:
            raise NotHeld("adds what has another shape, or a factor")
        one = signals[0]
        if len(signals) == 1:
            added = self._constant(step, shape)
            if added.any():
                one = replace(one, constant=_or_0(one.constant) + added, spikes=False)
            self.build.keep(out, one)
            return
        other = signals[1]
        sources = (*one.sources, *other.sources)
        if len(set(sources)) < len(sources) or one.averaged != other.averaged:
            raise NotHeld("adds a signal to itself, or to a mean over time")
        held = one.constant is not None or other.constant is not None
        constant = _or_0(one.constant) + _or_0(other.constant) if held else None
        self.build.keep(out, replace(one, sources=sources, constant=constant, spikes=False))

    def _constant(self, step: Step, shape: Shape) -> Numbers:
        """What else than a signal a function is called with, once for every value."""
        other = next(value for value in step.args if self.build.known(value) is None)
        values = torch.as_tensor(other).detach().cpu().double().numpy()
        return np.broadcast_to(values, shape)

    def _mean(self, step: Step, signal: Signal) -> None:
        tensor, out = step.args[0], step.out[0]
        dims, lead = _dims(step, tensor), self.lead(tensor)
        if dims == (0,) and lead == 2 and len(tensor) == self.time_steps:
            self.build.keep(out, replace(signal, averaged=True, spikes=False))
            return
        first = len(signal.shape) - len(dims)
        if first < 1 or dims != tuple(range(first + lead, tensor.ndim)):
            raise NotHeld("a mean that is neither over time nor over the last axes")
        channels, width = math.prod(signal.shape[:first]), math.prod(signal.shape[first:])
        name = self.build.name(f"{step.path}.mean")
        node = nodes.mean_node(channels, width)
        self.build.feed(name, node, signal.viewed((channels, width)))
        self.emit(out, name, (channels, 1), averaged=signal.averaged)

    def _product(self, step: Step, signals: list[Signal]) -> None:
        out, shape = step.out[0], self.shape(step.out[0])
        if len(signals) == 1:
            if signals[0].shape != shape or step.name in MATMULS:
                raise NotHeld("multiplies by a constant matrix, or one of another shape")
            name = self.build.name(f"{step.path}.scale")
            scale = nir.Scale(self._constant(step, shape).astype(np.float32))
            self.build.feed(name, scale, signals[0])
            self.emit(out, name, shape, averaged=signals[0].averaged)
            return
        for signal in signals:
            _in_time(signal)
        left, right = (self.build.single(step.path, signal) for signal in signals)
        if left == right:
            raise NotHeld("multiplies a signal by itself")
        name = self.build.name(f"{step.path}.product")
        kind = "matmul" if step.name in MATMULS else "multiply"
        self.build.nodes[name] = extension.AutopruneProduct(left=left, right=right, kind=kind)
        self.build.edges += [(left, name), (right, name)]
        self.emit(out, name, shape)

    def _rearrange(self, step: Step, signal: Signal) -> None:
        _in_time(signal)
        tensor, lead, start = step.args[0], self.lead(step.args[0]), 0
        for out in step.out:
            shape, node = self.shape(out), None
            if step.name in PARTS:
                axis = _dims(step, tensor)[0] - lead
                stop = start + shape[axis]
                node = extension.AutopruneSlice(axis=axis, start=start, stop=stop)
                start = stop
            elif step.name == "sum":
                axes = [dim - lead for dim in _dims(step, tensor)]
                node = extension.AutopruneSum(axes=np.array(axes))
                shape = tuple(1 if i in axes else n for i, n in enumerate(signal.shape))
            else:
                axes = [axis - lead for axis in _order(step, tensor.ndim)[lead:]]
                node = extension.AutoprunePermute(axes=np.array(axes))
            name = self.build.name(f"{step.path}.{step.name}")
            self.build.feed(name, node, signal)
            self.emit(out, name, shape)


def _in_time(signal: Signal) -> None:
    if signal.averaged:
        raise NotHeld("reads a mean over time, which is taken of what the graph returns")


def _or_0(constant: Numbers | None) -> Any:
    return 0.0 if constant is None else constant


def _dims(step: Step, tensor: Tensor) -> tuple[int, ...]:
    """The axes that a function names, ascending; all where it names none, 0 of parts."""
    place = 2 if step.name in PARTS else 1
    default = 0 if step.name in PARTS else tuple(range(tensor.ndim))
    given = step.named.get("dim", step.args[place] if len(step.args) > place else default)
    axes = given if isinstance(given, tuple | list) else (given,)
    return tuple(sorted(axis % tensor.ndim for axis in axes))


def _order(step: Step, ndim: int) -> list[int]:
    """Which axis each axis of a permuted tensor was; read from the strides of a stand-in."""
    stand_in = torch.empty(1).as_strided([1] * ndim, list(range(ndim)))
    return list(getattr(stand_in, step.name)(*step.args[1:], **step.named).stride())
