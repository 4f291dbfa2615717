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
        in_channels: C of the image. height, width: its sides.
        embed_dims: D, the embedding dimension.

    Shapes: [T, B, C, H, W] -> [T, B, D, H/2, W/2].
    """

    patch_size = 2

    def __init__(self, in_channels: int, height: int, width: int, embed_dims: int) -> None:
        super().__init__()
        self.conv_bn = layer.SeqToANNContainer(
            nn.Conv2d(in_channels, embed_dims, kernel_size=3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(embed_dims),
        )
        self.position = nn.Parameter(torch.zeros(embed_dims, height // 2, width // 2))
        self.neuron = neuron.LIFNode(tau=2.0, detach_reset=True, step_mode="m")

    def forward(self, x_seq: Tensor) -> Tensor:
        """[T, B, C, H, W] -> spikes [T, B, D, H/2, W/2]."""
        return self.neuron(self.conv_bn(x_seq) + self.position)


class PatchSpikformer(nn.Module):
    """Patch stem, Spikformer blocks, mean over tokens and time, linear head.

    Attributes:
        T: time steps; a static image is shown T times.

    Shapes: [B, C, H, W] or [T, B, C, H, W] -> logits [B, classes].
    """

    def __init__(  # noqa: PLR0913 - named as spikingjelly's Spikformer names them
        self,
        *,
        T: int,
        in_channels: int,
        img_size_h: int,
        img_size_w: int,
        num_classes: int,
        embed_dims: int,
        num_heads: int,
        mlp_ratio: float,
        depths: int,
    ) -> None:
        super().__init__()
        self.T = T
        self.patch_embed = PatchStem(in_channels, img_size_h, img_size_w, embed_dims)
        self.blocks = nn.ModuleList(
            SpikformerBlock(dim=embed_dims, num_heads=num_heads, mlp_ratio=mlp_ratio)
            for _ in range(depths)
        )
        self.head = nn.Linear(embed_dims, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.02)
        nn.init.trunc_normal_(self.patch_embed.position, std=0.02)
        nn.init.zeros_(self.head.bias)
        functional.set_step_mode(self, "m")

    def forward(self, x: Tensor) -> Tensor:
        """Images [B, C, H, W] or frames [T, B, C, H, W] -> logits [B, classes]."""
        x_seq = x if x.ndim == 5 else x.unsqueeze(0).expand(self.T, *x.shape)
        x_seq = self.patch_embed(x_seq)
        for block in self.blocks:
            x_seq = block(x_seq)
        return self.head(x_seq.flatten(3).mean(dim=-1).mean(dim=0))
