"""What a network does in one pass on samples at hand: calls of layers, and of torch between them.

Symbolic tracers stop where a network asks for a shape; a pass on real samples does not. A layer
with weights or a state and a pooling is one step, whatever it calls inside; of everything else
each function that torch is called with.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, final

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from autoprune.networks.adapter import Neuron, Weighted

LEAVES = (
    *Weighted.__args__,
    *Neuron.__args__,
    nn.AvgPool2d,
    nn.MaxPool2d,
    nn.modules.batchnorm._BatchNorm,
)
"""Modules that are one step each."""

SAME = ("contiguous", "clone", "detach", "to", "float", "dropout")
VIEWS = ("flatten", "unflatten", "reshape", "view", "unsqueeze", "squeeze", "expand", "repeat")
PERMUTES = ("transpose", "permute", "swapaxes")
"""Functions that leave all values as they are, and those that only give them another place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A call that made a tensor.

    Attributes:
        name: of the function, such as ``flatten``; of a module its class.
        module: what was called, if it is a module.
        path: the module, or the innermost one in which the function was called.
        args, named: what it was called with.
        out: the tensors that it made.
    """

    name: str
    path: str
    module: nn.Module | None = None
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    out: tuple[Tensor, ...] = ()


def trace(network: nn.Module, inputs: Tensor) -> tuple[list[Step], Tensor]:
    """The steps of a pass in their order, and what the network returned.

    Tensors of the steps are the very ones of the pass, so that `is` tells who made them.
    """
    network.eval()
    functional.reset_net(network)
    recorder = _Recorder()
    with ExitStack() as stack, torch.no_grad():
        for path, module in network.named_modules():
            stack.callback(module.register_forward_pre_hook(recorder.enter(path)).remove)
            stack.callback(module.register_forward_hook(recorder.leave(path)).remove)
        stack.enter_context(recorder)
        out = network(inputs)
    functional.reset_net(network)
    return recorder.steps, out


@final
class _Recorder(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.inside: list[str] = []
        self.leaf = 0

    def enter(self, path: str) -> Any:
        def hook(module: nn.Module, args: Any) -> None:
            self.inside.append(path)
            self.leaf += isinstance(module, LEAVES)

        return hook

    def leave(self, path: str) -> Any:
        def hook(module: nn.Module, args: Any, out: Any) -> None:
            self.inside.pop()
            if isinstance(module, LEAVES):
                self.leaf -= 1
                if not self.leaf:
                    name = type(module).__name__
                    self._note(Step(name=name, path=path, module=module, args=args, out=(out,)))

        return hook

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call `func`, and note what it made."""
        named = kwargs or {}
        out = func(*args, **named)
        made = tuple(out) if isinstance(out, tuple | list) else (out,)
        if not self.leaf and made and all(isinstance(tensor, Tensor) for tensor in made):
            path = self.inside[-1] if self.inside else ""
            name = getattr(func, "__name__", str(func))
            self._note(Step(name=name, path=path, args=args, named=named, out=made))
        return out

    def _note(self, step: Step) -> None:
        self.steps.append(step)
