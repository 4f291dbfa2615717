"""A sLIF neuron as a loop of plain operations, which is what ONNX has."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn


@final
class PlainSLIF(nn.Module):
    """A sLIF neuron that learns no more, written as a loop.

    Args:
        threshold, decay: theta and k. reset: V_reset.
    """

    def __init__(self, threshold: Tensor | float, decay: Tensor | float, reset: float) -> None:
        super().__init__()
        self.threshold, self.decay = _constant(threshold), _constant(decay)
        self.reset = reset

    def forward(self, x_seq: Tensor) -> Tensor:
        """Spikes [T, B, ...] of the input [T, B, ...], from the state after a reset."""
        spikes = []
        v = torch.full_like(x_seq[0], self.reset)
        for x in x_seq.unbind():
            h = v + (x - (v - self.reset)) * self.decay
            fired = (h >= self.threshold).to(h.dtype)
            v = h * (1.0 - fired) + self.reset * fired
            spikes.append(fired)
        return torch.stack(spikes)


def _constant(value: Tensor | float) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float32).detach().clone()
