"""A sLIF neuron as a loop of plain operations, which is what ONNX has."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from autoprune.compress.surgery.slif.dynamics import Dynamics


@final
class PlainSLIF(nn.Module):
    """A sLIF neuron that learns no more, written as a loop.

    Args:
        threshold, decay: theta and k.
        dynamics: reset, and whether k acts on the input.
    """

    def __init__(
        self, threshold: Tensor | float, decay: Tensor | float, dynamics: Dynamics
    ) -> None:
        super().__init__()
        self.threshold, self.decay = _constant(threshold), _constant(decay)
        self.reset, self.soft = dynamics.reset, dynamics.soft
        self.decay_input = dynamics.decay_input

    def forward(self, x_seq: Tensor) -> Tensor:
        """Spikes [T, B, ...] of the input [T, B, ...], from the state after a reset."""
        spikes = []
        v = torch.full_like(x_seq[0], self.reset)
        for x in x_seq.unbind():
            leak = v - self.reset
            h = v + (x - leak) * self.decay if self.decay_input else v - leak * self.decay + x
            fired = (h >= self.threshold).to(h.dtype)
            soft = h - self.threshold * fired
            v = soft if self.soft else h * (1.0 - fired) + self.reset * fired
            spikes.append(fired)
        return torch.stack(spikes)


def _constant(value: Tensor | float) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float32).detach().clone()
