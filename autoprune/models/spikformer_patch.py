"""Spikformer with a patch stem: one strided convolution, then spikingjelly's Spikformer blocks.

The standard stem of Spikformer (four convolutions) classifies small images by itself, so that its
blocks carry nothing and a search on them means nothing; one 3x3 convolution leaves them the work.
"""

from __future__ import annotations

import torch
from spikingjelly.activation_based import functional, layer, neuron
from spikingjelly.activation_based.model.spikformer import SpikformerBlock
from torch import Tensor, nn


class PatchStem(nn.Module):
    """``LIF(BN(conv(x)) + position)``: pixels to spikes.

    The position embedding is added to the membrane's input and not to the spikes, so that the
    blocks read spikes and sums of spikes, never real numbers.

    Args:
        channels: C of the image. side: its height and width.
        width: D, the embedding dimension.

    Shapes: [T, B, C, H, W] -> [T, B, D, H/2, W/2].
    """

    def __init__(self, channels: int, side: int, width: int) -> None:
        super().__init__()
        self.conv_bn = layer.SeqToANNContainer(
            nn.Conv2d(channels, width, kernel_size=3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.position = nn.Parameter(torch.zeros(width, (side + 1) // 2, (side + 1) // 2))
        self.neuron = neuron.LIFNode(tau=2.0, detach_reset=True, step_mode="m")

    def forward(self, x_seq: Tensor) -> Tensor:
        """[T, B, C, H, W] -> spikes [T, B, D, H/2, W/2]."""
        return self.neuron(self.conv_bn(x_seq) + self.position)


class PatchSpikformer(nn.Module):
    """Patch stem, Spikformer blocks, mean over tokens and time, linear head.

    Attributes:
        time_steps: T; a static image is shown T times.

    Shapes: [B, C, H, W] -> logits [B, classes].
    """

    def __init__(  # noqa: PLR0913 - the constructor of a network names its sizes
        self,
        *,
        time_steps: int,
        channels: int,
        side: int,
        classes: int,
        width: int,
        depth: int,
        heads: int,
        mlp_ratio: float,
    ) -> None:
        super().__init__()
        self.time_steps = time_steps
        self.stem = PatchStem(channels, side, width)
        self.blocks = nn.ModuleList(
            SpikformerBlock(dim=width, num_heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        self.head = nn.Linear(width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.trunc_normal_(self.stem.position, std=0.02)
        nn.init.zeros_(self.head.bias)
        functional.set_step_mode(self, "m")

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> logits [B, classes]."""
        x_seq = x.unsqueeze(0).expand(self.time_steps, *x.shape)
        x_seq = self.stem(x_seq)
        for block in self.blocks:
            x_seq = block(x_seq)
        return self.head(x_seq.flatten(3).mean(dim=-1).mean(dim=0))
