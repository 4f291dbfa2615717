"""Rates: events per step and position of every channel, of what layers read and neurons emit.

A count of n spikes is n events; of real values the rate is the mean magnitude.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from autoprune.compress.surgery.shown import show
from autoprune.errors import CompressionError
from autoprune.networks.adapter import Weighted

Rates = Mapping[nn.Module, Tensor]
"""Rate of every module's inputs [channels], in float64."""


def input_rates(network: nn.Module, layers: Iterable[Weighted], samples: Tensor) -> Rates:
    """The rates of the channels that layers read while `samples` are shown to the network.

    Raises CompressionError for a layer that is not called.
    """
    # the axes of positions follow that of the channels
    axes: dict[nn.Module, int] = {layer: 1 - layer.weight.ndim for layer in layers}
    return _rates(network, axes, samples, _on_input)


def output_rates(network: nn.Module, axes: Mapping[nn.Module, int], samples: Tensor) -> Rates:
    """The rates of the channels, each along its axis, that modules emit.

    Raises CompressionError for a module that is not called.
    """
    return _rates(network, axes, samples, _on_output)


_Note = Callable[[Tensor], None]


def _on_input(module: nn.Module, note: _Note) -> RemovableHandle:
    return module.register_forward_pre_hook(lambda _, inputs: note(inputs[0]))


def _on_output(module: nn.Module, note: _Note) -> RemovableHandle:
    return module.register_forward_hook(lambda _, inputs, output: note(output))


def _rates(
    network: nn.Module,
    axes: Mapping[nn.Module, int],
    samples: Tensor,
    listen: Callable[[nn.Module, _Note], RemovableHandle],
) -> Rates:
    seen: dict[nn.Module, list[Tensor]] = defaultdict(list)  # one mean per call

    def noting(module: nn.Module) -> _Note:
        def note(x: Tensor) -> None:
            channels = x.double().abs().movedim(axes[module], 0)
            seen[module].append(channels.flatten(1).mean(1))

        return note

    with ExitStack() as stack:
        for module in axes:
            stack.callback(listen(module, noting(module)).remove)
        show(network, samples)
    for module in axes:
        if module not in seen:
            raise CompressionError(f"{module}: no rate, since the network never calls it")
    return {module: torch.stack(means).mean(0) for module, means in seen.items()}
