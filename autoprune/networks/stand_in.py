"""What stands in place of a removed branch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Removed(nn.Module):
    """What stands in place of a removed branch that was added to the stream: exactly 0."""

    def forward(self, x_seq: Tensor) -> Tensor:
        """A scalar 0 of the dtype and device of `x_seq`."""
        return torch.zeros((), dtype=x_seq.dtype, device=x_seq.device)


class Bypassed(nn.Module):
    """What stands in place of a removed branch that held the residual path: its input."""

    def forward(self, x_seq: Tensor) -> Tensor:
        """`x_seq` as it is."""
        return x_seq
