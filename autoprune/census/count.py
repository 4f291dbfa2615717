"""One pass of real samples through a network, with hooks that count -> Workload."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from autoprune.census.attention import count_attention
from autoprune.census.coverage import uncounted
from autoprune.census.layers import count_layer
from autoprune.errors import CountingError
from autoprune.models.adapter import ModelAdapter, Synapses
from autoprune.workload import Op, Workload


@dataclass
class _Seen:
    """Input and output of one module during the pass."""

    calls: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def only(self, name: str) -> tuple[Tensor, Tensor]:
        """The one call of the pass; CountingError where there was none or more than one."""
        if len(self.calls) != 1:
            raise CountingError(f"{name}: its layer ran {len(self.calls)} times in one pass")
        return self.calls[0]


def count(model: nn.Module, adapter: ModelAdapter, inputs: Tensor) -> Workload:
    """The workload of `model` on `inputs` [samples, C, H, W], in evaluation mode.

    Raises CountingError where an operation cannot be counted exactly.
    """
    operations = adapter.operations(model)
    modules = {
        module
        for site in operations
        for module in (
            (site.module, site.neuron) if isinstance(site, Synapses) else (site.source, site.neuron)
        )
        if module is not None
    }
    model.eval()
    with _watched(modules) as seen, torch.inference_mode():
        functional.reset_net(model)
        model(inputs)
        functional.reset_net(model)
        ops: list[Op] = []
        for site in operations:
            spikes = 0
            if site.neuron is not None:
                current, fired = seen[site.neuron].only(site.name)
                spikes = int(fired.sum(dtype=torch.float64))
            if isinstance(site, Synapses):
                x, out = seen[site.module].only(site.name)
                ops.append(count_layer(site, x, out, spikes))
            else:
                _, qkv = seen[site.source].only(site.name)
                active = int(torch.count_nonzero(current))
                ops.extend(count_attention(site, qkv, active, spikes))
    executed = [op for op in ops if op.order != "published"]
    return Workload(
        network=type(model).__name__,
        samples=len(inputs),
        time_steps=max(op.time_steps for op in ops),
        ops=tuple(ops),
        uncounted=tuple(uncounted(model, inputs[:1], executed, len(inputs))),
    )


@contextmanager
def _watched(modules: set[nn.Module]) -> Iterator[dict[nn.Module, _Seen]]:
    """While this lasts, input and output of every call of `modules` are kept."""
    seen = {module: _Seen() for module in modules}

    def keep(record: _Seen) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda _, args, out: record.calls.append((args[0], out))

    with ExitStack() as stack:
        for module, record in seen.items():
            handle = module.register_forward_hook(keep(record))
            stack.callback(handle.remove)
        yield seen
