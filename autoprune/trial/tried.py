"""A network on which methods are tried, and the values that are tried on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from autoprune.compress.configuration import make_plan, parameters
from autoprune.compress.effort import Effort
from autoprune.compress.method import Method
from autoprune.compress.parameter import Parameter
from autoprune.compress.plan import Plan
from autoprune.compress.setting import Setting, Value
from autoprune.compress.surgery.apply import Manner
from autoprune.errors import InputError
from autoprune.networks.adapter import ModelAdapter
from autoprune.networks.place import Kind
from autoprune.networks.shape import NetworkShape
from autoprune.networks.spikformer import SpikformerAdapter
from autoprune.networks.spikformer_patch import PatchSpikformer


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A network on which methods are tried, and what it is called with; it stays as it is."""

    network: nn.Module
    adapter: ModelAdapter
    samples: Tensor
    shape: NetworkShape = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", self.adapter.shape(self.network))

    @property
    def effort(self) -> Effort:
        """That of the network's own time steps."""
        steps = self.adapter.time_steps(self.network)
        return Effort(time_steps=steps, learning_rate=1e-3, epochs=1)

    @property
    def manner(self) -> Manner:
        """With its own samples."""
        return Manner(samples=self.samples)

    def plans(self, method: Method) -> Iterator[tuple[str, Plan]]:
        """Plans with this method alone, by the values that made them."""
        for what, configuration in self.configurations(method):
            yield what, make_plan(configuration, self.shape, self.effort)

    def configurations(self, method: Method) -> Iterator[tuple[str, dict[Parameter, Value]]]:
        """The same value at every place, for a few values of every setting, in words."""
        for setting in method.settings:
            for kind in setting.kinds:
                for value in values_of(setting):
                    there = self._places(kind, setting.name, value)
                    if there:
                        yield f"{kind}.{setting.name} = {value!r}", dict.fromkeys(there, value)

    def _places(self, kind: Kind, name: str, value: Value) -> list[Parameter]:
        """The parameters of this network that take a value; a method may refuse it at a place."""
        found = []
        for parameter in parameters(self.shape):
            if (parameter.place.kind, parameter.setting) == (kind, name):
                with contextlib.suppress(InputError):
                    make_plan({parameter: value}, self.shape, self.effort)
                    found.append(parameter)
        return found


def tried_network() -> Tried:
    """A Spikformer of two blocks that fires, as small as one can be."""
    random = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PatchSpikformer(
            T=2,
            in_channels=1,
            img_size_h=8,
            img_size_w=8,
            num_classes=4,
            embed_dims=16,
            depths=2,
            num_heads=2,
            mlp_ratio=2.0,
        )
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith("running_var"):
            nn.init.uniform_(value, 0.02, 0.1, generator=random)
        elif value.ndim == 1 and name.endswith(("bias", "running_mean")):
            nn.init.normal_(value, std=0.5, generator=random)
    samples = torch.rand(4, 1, 8, 8, generator=random)
    return Tried(network=network.eval(), adapter=SpikformerAdapter(), samples=samples)


def values_of(setting: Setting) -> list[Value]:
    """A few values that are not neutral, mildest first."""
    if setting.words:
        return [word for word in setting.words if word != setting.neutral]
    numbers = (0.5, 2.0) if setting.positive else _spread(setting)
    return setting.by_harshness([value for value in numbers if setting.takes(value)])


def _spread(setting: Setting) -> list[float]:
    span = setting.high - setting.low
    found = [setting.low + share * span for share in (0.25, 0.75)]
    return [round(value) for value in found] if setting.whole else found
